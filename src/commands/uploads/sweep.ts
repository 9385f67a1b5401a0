/** `runner uploads sweep`: what `runner serve` does every ten minutes, once. */
import type { Command } from 'commander'
import { placesOf } from '../../config.ts'
import { sweepFiles, type Removed } from '../../enqueue/file-sweeper.ts'
import { EXIT, messageOf } from '../../errors.ts'
import { openRedis } from '../../redis/connection.ts'
import { neededByRuns } from '../../steering/file-needs.ts'
import { openStores } from '../../store/stores.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .action(async ({ dryRun = false }: { dryRun?: boolean }) => sweep(dryRun, context))
  addHelp(
    command,
    [
      ['runner uploads sweep --dry-run', 'which files, and why'],
      ['runner uploads sweep', 'a CronJob may do it where no runner serve runs'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis'],
  )
}

async function sweep(dryRun: boolean, context: CliContext): Promise<void> {
  const config = await context.config()
  await using stores = openStores(placesOf(config))
  await using redis = await openRedis(config, { onMessage: context.note })
  const files: Removed[] = []
  const { removed, unfinished } = await sweepFiles({
    client: redis.connect('command'),
    prefix: redis.prefix,
    stores,
    orphanAge: config.uploads.orphanAge,
    neededByRuns: neededByRuns(config),
    dryRun,
    onRemoved: file => files.push(file),
    onError: (place, error) => {
      context.note(`${place}: ${messageOf(error)}`)
      process.exitCode = EXIT.partial
    },
  })
  const lines = files.map(({ place, why }) => `${place}  ${why}`)
  const done = dryRun
    ? `would remove ${removed} of the files in ${stores.uploads.store.where}`
    : `removed ${removed} files and ${unfinished} unfinished uploads of ${stores.uploads.store.where}`
  context.print([...lines, done].join('\n'), { files, removed, unfinished, dryRun })
}
