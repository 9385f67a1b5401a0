/** The dashboard as a person uses it: a real fleet, `runner serve` as a process, and Chromium. One of each for all cases. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { Queue } from 'bullmq'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { newToken } from '../../../src/gateway/tokens.ts'
import { openDatabase } from '../../../src/migration/databases.ts'
import { hasChromium, overflow, startChromium, violations, type Chromium } from '../../helpers/browser.ts'
import { makeUsers } from '../../helpers/databases.ts'
import { untilState } from '../../helpers/fleet.ts'
import { isLong } from '../../helpers/long.ts'
import { project, type Project } from '../../helpers/project.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner, startRunner, type Running } from '../../helpers/runner.ts'

// A browser is slow to start, where other files have the cores.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const OPS = newToken()
const VIEWER = newToken()

const FILES = {
  'runner.config.ts': `export default {
    tokens: [
      { name: 'ops', hash: '${OPS.hash}', scopes: ['read', 'operate'] },
      { name: 'viewer', hash: '${VIEWER.hash}', scopes: ['read'] },
    ],
    redact: ['card'],
  }`,
  'jobs/nap.ts': `import { setTimeout as sleep } from 'node:timers/promises'
import { job } from 'bullmq-runner'
export default job({
  queue: 'mail',
  run: async ctx => {
    await ctx.progress(3, 10, 'asleep')
    await sleep(600_000, undefined, { signal: ctx.signal })
  },
})`,
  'jobs/hang.ts': `import { job } from 'bullmq-runner'
export default job({
  queue: 'reports',
  run: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000) // here
  },
})`,
  'scripts/touch.ts': `import { setTimeout as sleep } from 'node:timers/promises'
import { keyset, migration } from 'bullmq-runner'
export default migration({
  source: keyset('users', { key: 'id', select: ['id'] }),
  shards: 3,
  async batch({ rows, tx }) {
    for (const { id } of rows) await tx.query('update users set touched = touched + 1 where id = $1', [id])
    await sleep(3 * rows.length)
  },
})`,
}
const ALL_LOOKS = [
  ['dark', 375],
  ['light', 1280],
  ['light', 375],
  ['dark', 1280],
] as const
/** Each look at the page costs three processes something. */
const POLL = { timeout: 45_000, interval: 250 }
const DATABASE = { DATABASE_URL: 'sqlite:app.db' }

describe.skipIf(!hasChromium())('in Chromium (apt-get install chromium)', () => {
  let redis: TestRedis
  let dir: Project
  let replica: Replica
  let serve: Running
  let chromium: Chromium
  let page: Page
  let url: string
  let mail: Queue
  const logged: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    redis = await startRedis()
    dir = project(FILES)
    const db = await openDatabase('app', { app: `sqlite:${dir.path('app.db')}` })
    await makeUsers(db, 60_000)
    await db.close()
    mail = new Queue('mail', { connection: redis.client() })
    const reports = new Queue('reports', { connection: redis.client() })
    const options = { cwd: dir.dir, env: DATABASE }
    serve = startRunner(['serve', '--redis', redis.url, '--http', '127.0.0.1:0'], options)
    const lines = createInterface({ input: serve.child.stderr })
    lines.on('line', line => logged.push(line))
    const starting = Replica.start({
      redis,
      ...options,
      jobs: dir.path('jobs'),
      args: ['--jobs', dir.path('scripts'), '--executors', '2'],
    })
    await once(lines, 'line')
    url = (JSON.parse(logged[0] ?? '') as { url: string }).url
    replica = await starting
    await reports.add('hang', {})
    const args = ['enqueue', 'touch', '--redis', redis.url, '--jobs', dir.path('scripts')]
    ;[chromium] = await Promise.all([startChromium(), runner(args, options), replica.event('job.blocked')])
    page = chromium.context.pages()[0] ?? (await chromium.context.newPage())
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
  })
  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    serve?.child.kill('SIGTERM')
    await serve?.ended
    for (const open of [replica, redis]) await open?.[Symbol.asyncDispose]()
    dir?.[Symbol.dispose]()
  })

  /** For who wants to look: `SCREENSHOTS=folder`. */
  async function shoot(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS']
    if (folder === undefined) return
    mkdirSync(folder, { recursive: true })
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
  }
  const result = () => page.locator('#result')
  async function signIn(token: string): Promise<void> {
    await page.goto(`${url}/login`)
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
  }

  it('lets in who has a token, and nobody else', async () => {
    const first = await page.goto(url)
    expect(new URL(page.url()).pathname).toBe('/login')
    // Else browsers say of a form that it comes from nowhere.
    expect(first?.headers()['referrer-policy']).toBe('same-origin')
    expect(await violations(page)).toEqual([])
    await shoot('login')
    await signIn(`${OPS.token}x`)
    await page.getByRole('alert').getByText('This token is not known.').waitFor()
    await signIn(VIEWER.token)
    await page.getByRole('heading', { name: /Queues/ }).waitFor()
    expect(await page.locator('button', { hasNotText: 'Sign out' }).count()).toBe(0)
    const [cookie] = await chromium.context.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', name: 'runner-session' })
    expect(cookie?.value).not.toContain(VIEWER.token)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(OPS.token)
    await page.getByRole('button', { name: 'Pause queue mail' }).waitFor()
  })

  it('shows where a job blocks, with its stack', async () => {
    const blocked = page.locator('#blocked')
    await blocked.getByText('holds executor').waitFor()
    expect(await blocked.innerText()).toMatch(/holds executor \d+ of \S+ for/)
    expect(await blocked.locator('code').first().innerText()).toContain('jobs/hang.ts:5')
    await blocked.getByText('Stack', { exact: true }).click()
    expect(await blocked.locator('pre').innerText()).toContain('jobs/hang.ts:5')
    // What was opened stays so, whatever comes.
    const before = await page.locator('#summary time').innerText()
    await expect.poll(() => page.locator('#summary time').innerText(), POLL).not.toBe(before)
    expect(await blocked.locator('pre').isVisible()).toBe(true)
  })

  it('moves with a migration, pauses and resumes it', async () => {
    const run = page.locator('#migrations .card').first()
    const rows = async () =>
      Number(/^[\d,]+/.exec(await run.locator('.rows').innerText())?.[0].replaceAll(',', ''))
    const bar = async () => Number(await run.locator('.whole progress').getAttribute('value'))
    await expect.poll(rows, POLL).toBeGreaterThan(0)
    const [before, barBefore] = [await rows(), await bar()]
    await page.evaluate('window.mark = 1')
    await expect.poll(rows, POLL).toBeGreaterThan(before)
    await expect.poll(bar, POLL).toBeGreaterThan(barBefore)
    expect(await run.locator('.shards li').count()).toBeGreaterThanOrEqual(3)
    expect(await run.locator('dl').innerText()).toMatch(/Rate\s+[\d,.]+\/s/)
    await shoot('light')
    await run.getByRole('button', { name: /^Pause run touch-/ }).click()
    await expect.poll(() => result().innerText(), POLL).toMatch(/^run touch-\S+ is paused/)
    await run.getByText('paused', { exact: true }).waitFor()
    await run.getByRole('button', { name: /^Resume run touch-/ }).click()
    await run.getByText('running', { exact: true }).waitFor()
    expect(await page.evaluate('window.mark')).toBe(1)
  })

  it('pauses a queue by keyboard alone', async () => {
    await page.reload()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Skip to the fleet')
    await page.keyboard.press('Enter')
    const pressed = () => page.evaluate('document.activeElement.ariaLabel')
    for (let i = 0; i < 40 && (await pressed()) !== 'Pause queue mail'; i++) await page.keyboard.press('Tab')
    expect(await pressed()).toBe('Pause queue mail')
    await page.keyboard.press('Enter')
    await expect.poll(() => result().innerText(), POLL).toBe('queue mail is paused: jobs that run go on')
    expect(await mail.isPaused()).toBe(true)
    // The same button, which has the focus still.
    await expect.poll(pressed, POLL).toBe('Resume queue mail')
    await page.keyboard.press('Enter')
    await expect.poll(() => result().innerText(), POLL).toBe('queue mail is open')
    expect(await mail.isPaused()).toBe(false)
  })

  it('cancels a job, and says which replica confirmed it', async () => {
    const { id } = await mail.add('nap', { card: '4111' })
    const row = page.locator('#running tr', { hasText: 'nap' })
    await row.getByText('3 of 10 asleep').waitFor()
    await row.getByText('Cancel', { exact: true }).click()
    await row.getByRole('button', { name: `Yes, cancel job ${id} of queue mail` }).click()
    await expect
      .poll(() => result().innerText(), POLL)
      .toMatch(new RegExp(`^job ${id} of queue mail was (stopped|killed) on \\S+ within`))
    expect(await untilState(mail, id, 'failed')).toMatchObject({
      failedReason: 'cancelled: by ops, on the dashboard',
    })
    await row.waitFor({ state: 'detached' })
    const acted = logged
      .map(line => JSON.parse(line) as { event: string; by?: string; what?: string })
      .filter(({ event }) => event === 'dashboard.acted')
    expect(acted.at(-1)).toMatchObject({
      by: 'ops',
      ok: true,
      what: JSON.stringify({ do: 'cancel-job', queue: 'mail', id }),
    })
  })

  it.each(isLong ? ALL_LOOKS : ALL_LOOKS.slice(0, 2))(
    'is accessible, %s and %i pixels wide, and scrolls in one direction',
    async (colorScheme, width) => {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      expect(await overflow(page)).toBe(0)
      expect(await violations(page)).toEqual([])
      await shoot(`${colorScheme}-${width}`)
      await page.emulateMedia({ colorScheme: null })
      await page.setViewportSize({ width: 1280, height: 900 })
    },
  )

  it('does nothing for a page of another origin, which also cannot show it in a frame', async () => {
    // Another port is another origin, of the same site: a cookie of ours would go with it.
    const evil = createServer((_request, response) => {
      const form = `<form method="post" action="${url}/act"><input name="act" value='{"do":"pause-queue","queue":"mail"}'></form>`
      response.setHeader('content-type', 'text/html').end(`${form}<iframe src="${url}/login"></iframe>`)
    }).listen(0, '127.0.0.1')
    await once(evil, 'listening')
    const other = await chromium.context.newPage()
    await other.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}`)
    expect(await other.frameLocator('iframe').getByLabel('Token').count()).toBe(0)
    const answer = other.waitForResponse(`${url}/act`)
    await other.evaluate('document.forms[0].submit()')
    expect((await answer).status()).toBe(403)
    expect(await mail.isPaused()).toBe(false)
    await other.close()
    evil.closeAllConnections()
    evil.close()
  })

  it('shows jobs by bull-board, with what is redacted hidden', async () => {
    await page.getByRole('link', { name: 'Queues and jobs' }).click()
    await page.getByText('reports').first().waitFor()
    await shoot('board')
    await page.goto(`${url}/queues/queue/mail/1`)
    await page.getByText('Data', { exact: true }).click()
    await page.getByText('[Redacted]').first().waitFor()
    await shoot('board-job')
    expect(await page.locator('body').innerText()).not.toContain('4111')
  })

  it('waits for a page before it loads itself again, where a proxy answers for a server that is gone', async () => {
    // bull-board asks for all again and again.
    await page.goto('about:blank')
    const other = await chromium.context.newPage()
    let asked = 0
    await other.route('**/live', route => route.fulfill({ status: 502 }))
    await other.goto(url)
    await other.route(`${url}/`, route => (++asked > 1 ? route.continue() : route.fulfill({ status: 502 })))
    await other.getByText('connection lost').waitFor()
    await other.evaluate('window.mark = 1')
    await other.unroute('**/live')
    await other.getByText('live', { exact: true }).waitFor()
    expect(asked).toBeGreaterThanOrEqual(2)
    expect(await other.evaluate('window.mark')).toBeUndefined()
    await other.close()
  })

  it('asks nothing of another host, and runs no script that is not a file of this one', () => {
    // Of all pages, bull-board's too, nothing is said but that a token was wrong.
    expect(complaints).toEqual([expect.stringContaining('401 (Unauthorized)')])
  })
})
