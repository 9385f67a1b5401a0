/** `runner uploads list`: what is in the store that uploads go to, and which jobs refer to it. */
import type { Command } from 'commander'
import { placesOf } from '../../config.ts'
import { openRedis } from '../../redis/connection.ts'
import { FileIndex } from '../../redis/file-index.ts'
import { openStores } from '../../store/stores.ts'
import type { StoredFile } from '../../store/store.ts'
import { textTable } from '../../table.ts'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

/** Files whose jobs are asked for at once. */
const PAGE = 200

interface Row {
  /** `<store>/<key>`. */
  file: string
  bytes: number
  storedAt: number
  /** Of those that Redis still has. */
  jobs: { queue: string; id: string }[]
}

export function define(command: Command, context: CliContext): void {
  command.action(async () => list(context))
  addHelp(
    command,
    [
      ['runner uploads list', 'newest first'],
      ['runner uploads list -o jsonl', '{ file, bytes, storedAt, jobs: [{ queue, id }] } a line'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

async function list(context: CliContext): Promise<void> {
  const config = await context.config()
  await using stores = openStores(placesOf(config))
  await using redis = await openRedis(config, { onMessage: context.note })
  const index = new FileIndex(redis.connect('command'), redis.prefix)
  const { name, store } = stores.uploads
  const rows: Row[] = []
  let page: StoredFile[] = []
  const take = async () => {
    rows.push(...(await Promise.all(page.map(file => rowOf(`${name}/${file.key}`, file, index)))))
    page = []
  }
  for await (const file of store.list()) if (page.push(file) === PAGE) await take()
  await take()
  rows.sort((a, b) => b.storedAt - a.storedAt)
  context.print(rows.length === 0 ? `no file is in ${store.where}` : tableOf(rows), rows)
}

async function rowOf(file: string, { bytes, storedAt }: StoredFile, index: FileIndex): Promise<Row> {
  const alive = await index.alive(await index.of(file))
  return { file, bytes, storedAt: Math.round(storedAt), jobs: alive.map(({ queue, id }) => ({ queue, id })) }
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ file, bytes, storedAt, jobs }) => [
    file,
    bytes < 1024 * 1024 ? `${bytes} B` : formatMebibytes(bytes),
    formatMilliseconds(Math.max(0, Date.now() - storedAt)),
    jobs.map(({ queue, id }) => `${queue}:${id}`).join(' ') || 'none',
  ])
  return textTable([['FILE', 'SIZE', 'AGE', 'JOBS'], ...lines])
}
