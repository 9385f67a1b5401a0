/** The chapter "Writing stall-safe jobs" of README.md: its blocks are these files, and they do what it says of them. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, EITHER_KIND, untilState, type Bench } from './helpers/fleet.ts'
import { startRedis, type TestRedis } from './helpers/redis.ts'
import { Replica } from './helpers/replica.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/jobs-stall-safe/', import.meta.url))

it('shows the very files that are run here', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, chapter = ''] = /^## Writing stall-safe jobs\n(.*?)^## /ms.exec(readme) ?? []
  const blocks = [...chapter.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text)
  const files = readdirSync(FIXTURES).map(name => readFileSync(join(FIXTURES, name), 'utf8'))
  expect(new Set(blocks)).toEqual(new Set(files))
  for (const name of readdirSync(FIXTURES)) expect(chapter).toContain(`// jobs/${name}\n`)
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function serve(answer: Answer): Promise<{ url: string } & Disposable> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe.each(EITHER_KIND)('in a %s', isolation => {
  let redis: TestRedis
  let b: Bench
  let folder: string
  const args = ['--isolation', isolation, '--lock-duration', '2s', '--stalled-interval', '500ms']
  const replica = () => Replica.start({ redis, jobs: FIXTURES, args })
  beforeAll(async () => {
    redis = await startRedis()
    b = await bench(redis, 'default')
    folder = mkdtempSync(join(tmpdir(), 'stall-safe-'))
  })
  afterAll(async () => {
    await b[Symbol.asyncDispose]()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('import-emails goes on after its replica was killed, and writes each row once', async () => {
    const ROWS = 200_000
    const file = join(folder, 'users')
    writeFileSync(file, Array.from({ length: ROWS }, (_, i) => `user${i}@example.org`).join('\n'))
    const database = join(folder, 'users.db')
    using db = new DatabaseSync(database, { timeout: 10_000 })
    db.exec(
      'pragma journal_mode = wal; pragma synchronous = off; create table users (email text primary key)',
    )
    const count = () => db.prepare('select count(*) as n from users').get()?.['n'] as number

    const first = await replica()
    const { id } = await b.queue.add('import-emails', { file, database }, { attempts: 3 })
    const position = async () => Number(await b.client.hget(`bull:default:${id}`, 'runner:step:chunks:rows'))
    await expect.poll(position, { interval: 5 }).toBeGreaterThan(0)
    await first[Symbol.asyncDispose]()
    const kept = await position()
    expect(kept).toBeLessThan(ROWS)
    // All that is kept is written: never lost.
    expect(count()).toBeGreaterThanOrEqual(kept)

    await using _ = await replica()
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: ROWS, attemptsStarted: 2 })
    expect(count()).toBe(ROWS)
  })

  it('bill-order makes one invoice, however often its mail fails, and tells the server the same key', async () => {
    const keys: string[] = []
    using api = await serve(({ url, headers }, response) => {
      keys.push(`${url} ${headers['idempotency-key'] as string}`)
      const failed = url === '/mails' && keys.length < 4
      response.writeHead(failed ? 503 : 200).end('{"id":"R-1"}')
    })
    await using _ = await replica()
    const { id } = await b.queue.add('bill-order', { order: 'A-1', api: api.url })
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'completed', attemptsMade: 3, returnvalue: { id: 'R-1' } })
    const mail = `/mails default:${id}:/mails`
    expect(keys).toEqual([`/invoices default:${id}:/invoices`, mail, mail, mail])
  })

  it('check-links asks five at once, and returns those that are not well', async () => {
    let open = 0
    let most = 0
    using site = await serve(({ url }, response) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        response.writeHead(url === '/7' ? 404 : 200).end()
      }, 20)
    })
    await using _ = await replica()
    const urls = Array.from({ length: 30 }, (_, i) => `${site.url}/${i}`)
    const { id } = await b.queue.add('check-links', { urls })
    expect(await untilState(b.queue, id)).toMatchObject({ returnvalue: [`${site.url}/7`] })
    expect(most).toBe(5)
  })
})
