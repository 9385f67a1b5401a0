/** Looks into the ledgers from a thread of its own: SQLite answers synchronously, and the supervisor may not wait. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import { setExecutorSettings, type ExecutorSettings } from '../job/executor-settings.ts'
import { ledgerOf } from './databases.ts'
import { unattended } from './reconciliation.ts'
import type { FromReconciler } from './reconciler.ts'

const { settings, every } = workerData as { settings: ExecutorSettings; every: number }
const say = (message: FromReconciler) => parentPort?.postMessage(message)

setExecutorSettings(settings)
for (;;) {
  for (const name of Object.keys(settings.databases)) {
    try {
      const bells = await unattended(await ledgerOf(name))
      if (bells.length > 0) say({ bells })
    } catch (error) {
      say({ error: `ledger of database ${name}: ${messageOf(error)}` })
    }
  }
  await sleep(every)
}
