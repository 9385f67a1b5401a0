/**
 * The pod that this process runs in, as the API server of Kubernetes knows it. One PATCH is all that is needed of it:
 * `node:https` does that, where the client library would be 30 MB more in every image.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'
/** The answer of a server that has more to do; in milliseconds. */
const ANSWER_MS = 5_000

interface Place {
  host: string
  port: string
  /** Of the pod. Default: the host name, which is the pod's unless its spec says otherwise. */
  name: string
  /** Default: that of the service account. */
  namespace: string | undefined
  /** Where Kubernetes puts token, namespace and certificate. */
  folder: string
}

export class OwnPod {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  /** undefined: this is no pod. By the variables that Kubernetes sets, and POD_NAME and POD_NAMESPACE where they are set. */
  static of(env: Record<string, string | undefined>, folder = FOLDER): OwnPod | undefined {
    const host = env['KUBERNETES_SERVICE_HOST']
    if (host === undefined || host === '') return undefined
    const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
    return new OwnPod({
      host,
      port,
      name: env['POD_NAME'] ?? hostname(),
      namespace: env['POD_NAMESPACE'],
      folder,
    })
  }

  /** Rejects with what the API server says. The files are read each time: Kubernetes renews the token every hour. */
  async annotate(annotations: Record<string, string>): Promise<void> {
    const { host, port, name, namespace, folder } = this.#place
    const read = async (file: string) => (await readFile(join(folder, file), 'utf8')).trim()
    const [token, ca] = await Promise.all([read('token'), read('ca.crt')])
    const path = [namespace ?? (await read('namespace')), name].map(encodeURIComponent).join('/pods/')
    const asking = request({
      host,
      port,
      ca,
      method: 'PATCH',
      path: `/api/v1/namespaces/${path}`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' },
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    asking.end(JSON.stringify({ metadata: { annotations } }))
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    const said = await text(answer)
    if (answer.statusCode !== 200)
      throw new Error(`the API server answers ${answer.statusCode} for pod ${name}: ${messageIn(said)}`)
  }
}

/** Of the Status object that it answers with. */
function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? 'no reason'
  } catch {
    return body.slice(0, 200)
  }
}
