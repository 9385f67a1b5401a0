/** One question to what probes.ts answers, as an orchestrator asks it. Loads nothing that takes time. */
import { get } from 'node:http'
import { RunnerError } from '../errors.ts'
import { readHttpAddress } from '../http-address.ts'

/** What can be asked, and where. */
export const PROBES = { live: '/livez', ready: '/readyz', startup: '/startupz' } as const
export type ProbeName = keyof typeof PROBES

/** Milliseconds; less than an orchestrator gives the whole command. */
const PATIENCE = 4_000

/** Resolves when the answer is yes. Throws PROBE_FAILED with the reason, CONFIG_INVALID for what is no address. */
export async function askProbe(name: ProbeName, address: string): Promise<void> {
  const wanted = readHttpAddress(address)
  if (wanted === undefined) {
    throw new RunnerError(
      'CONFIG_INVALID',
      `expected an address such as :9090 or 127.0.0.1:9090, got ${address}`,
    )
  }
  const { port } = wanted
  const host = reachable(wanted.host)
  const { ok, said } = await request(host, port, PROBES[name]).catch((error: NodeJS.ErrnoException) => {
    const why = error.name === 'AbortError' ? `no answer within ${PATIENCE / 1_000} s` : error.message
    throw new RunnerError('PROBE_FAILED', `not ${nameOf(name)}: ${why}`, {
      hint: 'runner work answers at the address that it is given by --http or RUNNER_HTTP',
      cause: error,
    })
  })
  if (!ok) throw new RunnerError('PROBE_FAILED', `not ${nameOf(name)}: ${said}`)
}

const nameOf = (name: ProbeName): string => (name === 'startup' ? 'started' : name)

/** An address that stands for every interface is none to connect to. */
function reachable(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

function request(host: string, port: number, path: string): Promise<{ ok: boolean; said: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(PATIENCE)
    const asked = get({ host, port, path, signal, agent: false }, answer => {
      let said = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => (said += chunk))
      answer.on('end', () => resolve({ ok: answer.statusCode === 200, said: said.trim() }))
      answer.on('error', reject)
    })
    asked.on('error', reject)
  })
}
