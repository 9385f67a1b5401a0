/**
 * The thread in which a command imports job files and checks payloads. Files are imported one after the other and
 * each is announced first, so that the one that ends or blocks the thread can be named.
 */
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { verdictOf } from './args.ts'
import { addJobs, asBroken, loadFile, type LoadedJob } from './load.ts'
import type { CheckRequest, FromThread, LoaderData } from './loader-messages.ts'

const port = parentPort!
const { files, timeout, redact } = workerData as LoaderData
const jobs = new Map<string, LoadedJob>()

const tell = (message: FromThread): void => port.postMessage(message)

enableCompileCache()
for (const file of files) {
  const announce = async () => tell({ type: 'loading', file })
  try {
    await announce()
    const loaded = await loadFile(file, { timeout, announce })
    addJobs(jobs, file, loaded)
    for (const { entry } of loaded.jobs) tell({ type: 'loaded', entry })
  } catch (error) {
    tell({ type: 'broken', broken: asBroken(file, error) })
  }
}
port.on('message', (request: CheckRequest) => void answer(request))
tell({ type: 'ready' })

async function answer({ id, name, payloads }: CheckRequest): Promise<void> {
  const { schema } = jobs.get(name) ?? {}
  const verdicts = await Promise.all(payloads.map(json => verdictOf(name, schema, json, redact)))
  tell({ type: 'checked', id, verdicts })
}
