/** One attempt of a trial: goes on with the run on a copy until it is over, or this process is killed. */
import { RunnerError, messageOf } from '../errors.ts'
import { setExecutorSettings, type FilePlaces } from '../job/executor-settings.ts'
import { defaultExport } from '../job/default-export.ts'
import { MIGRATION } from '../job/define.ts'
import { IMPORT_TIMEOUT } from '../job/import-deadline.ts'
import { loadJob } from '../job/load.ts'
import { ledgerOf } from './databases.ts'
import { canonical, checksumOf } from './run-identity.ts'
import { finishRun, type RunPart } from './trial.ts'

export interface TrialOrder {
  file: string
  name: string
  /** Of the migration; all others are what they are. */
  database: string
  databases: Record<string, string>
  files: FilePlaces
  payload: unknown
  shards: number
  /** Rows of a batch, at most. */
  batch: number
  /** None was killed before it: the run is a new one. */
  isFirst: boolean
}

export type FromTrial =
  | { batch: true }
  | { over: { run: string; state: string; error: string | null } }
  | { broken: { code: string; message: string } }

const say = (message: FromTrial) => process.send?.(message)

process.once('message', order => void attempt(order as TrialOrder))
// A trial does not outlast the command that began it.
process.once('disconnect', () => process.exit(1))

async function attempt(order: TrialOrder): Promise<void> {
  try {
    const { file, name, database, databases, files, payload, shards, batch, isFirst } = order
    setExecutorSettings({ databases, files })
    const job = await loadJob({ file, name, kind: 'module' })
    // Others have succeeded before, or not: that is nothing to be tried here.
    const inFile = (await defaultExport(file, IMPORT_TIMEOUT)) as { [MIGRATION]?: { after?: unknown } }
    delete inFile[MIGRATION]?.after
    const ledger = await ledgerOf(database)
    const advance = ledger.shards.advance.bind(ledger.shards)
    ledger.shards.advance = async (...given) => {
      const told = await advance(...given)
      say({ batch: true })
      return told
    }
    const { run, enrolment } = await ledger.runs.enrol({
      name,
      args: canonical(payload),
      checksum: checksumOf(file),
      queue: 'trial',
      shards,
      // Those that have succeeded are none of ours; one that goes on is, once we have begun it.
      again: true,
    })
    if (isFirst && enrolment !== 'new')
      throw new RunnerError('USAGE', `the copy has a run of ${name} that has not succeeded: ${run.id}`, {
        hint: 'take a copy without it, or other arguments by --data',
      })
    await ledger.runs.set(run.id, { batchMax: batch })
    const { id, state, error } = await finishRun(ledger, run.id, name, job.run as RunPart)
    say({ over: { run: id, state, error } })
  } catch (error) {
    say({
      broken: { code: error instanceof RunnerError ? error.code : 'JOB_FAILED', message: messageOf(error) },
    })
  }
  process.disconnect()
}
