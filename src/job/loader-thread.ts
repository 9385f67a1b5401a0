/**
 * The thread in which a command imports job files and checks payloads. Files are imported one after the other and
 * each is announced first, so that the one that ends or blocks the thread can be named.
 */
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { ArgsError, messageOf } from '../errors.ts'
import { checkArgs } from './args.ts'
import { asBroken, loadJob, type LoadedJob } from './load.ts'
import type { CheckRequest, FromThread, LoaderData, Verdict } from './loader-messages.ts'

const port = parentPort!
const { files, timeout, redact } = workerData as LoaderData
const jobs = new Map<string, LoadedJob>()

const tell = (message: FromThread): void => port.postMessage(message)

enableCompileCache()
for (const file of files) {
  tell({ type: 'loading', file })
  try {
    const job = await loadJob(file, { timeout })
    jobs.set(file.name, job)
    tell({ type: 'loaded', entry: job.entry })
  } catch (error) {
    tell({ type: 'broken', broken: asBroken(file, error) })
  }
}
port.on('message', (request: CheckRequest) => void answer(request))
tell({ type: 'ready' })

async function answer({ id, name, payloads }: CheckRequest): Promise<void> {
  tell({ type: 'checked', id, verdicts: await Promise.all(payloads.map(json => verdict(name, json))) })
}

async function verdict(name: string, json: string): Promise<Verdict> {
  try {
    await checkArgs(name, jobs.get(name)?.schema, JSON.parse(json), redact)
    return null
  } catch (error) {
    return error instanceof ArgsError
      ? { message: error.message, details: error.details }
      : { message: messageOf(error) }
  }
}
