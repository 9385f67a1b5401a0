/** `import-users` from end to end: over HTTP into the store, from there by many replicas into the database. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newToken } from '../../src/gateway/tokens.ts'
import { project, type Project } from '../helpers/project.ts'
import { cleanEnv, startRunner } from '../helpers/runner.ts'
import { type Examples, examples, PATIENT, ROOT } from './examples.ts'

const LINES = 3_000
const EXAMPLE = fileURLToPath(new URL('../../examples/import-users', import.meta.url))

let fleet: Examples
let settings: Project
let env: Record<string, string>
const started: ChildProcess[] = []

beforeAll(async () => {
  fleet = await examples()
  const { token, hash } = newToken()
  settings = project({
    'runner.config.mjs': `export default { tokens: [{ name: 'shop', hash: '${hash}', scopes: ['enqueue'] }] }`,
  })
  const config = join(settings.dir, 'runner.config.mjs')
  const args = ['serve', '--redis', fleet.redis.url, '--http', '127.0.0.1:0', '--config', config]
  const jobs = ['--jobs', join(ROOT, 'jobs'), '--jobs', join(ROOT, 'scripts')]
  const { child } = startRunner([...args, ...jobs], { cwd: ROOT, env: fleet.env })
  started.push(child)
  const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string]
  env = { RUNNER_URL: (JSON.parse(line) as { url: string }).url, RUNNER_TOKEN: token }
})
afterAll(async () => {
  for (const child of started) child.kill()
  settings[Symbol.dispose]()
  await fleet[Symbol.asyncDispose]()
})

interface Status {
  run: { state: string; held: string | null; shards: number }
}

const status = async () =>
  (JSON.parse((await fleet.runner('migrations', 'status', 'import-users', '--json')).stdout) as Status).run

async function upload(file: string): Promise<{ code: number; stdout: string }> {
  const child = spawn(join(EXAMPLE, 'upload.sh'), [file], { env: cleanEnv(env) })
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code: code as number, stdout }
}

test('a file that is uploaded is imported: it waits for its table, and what has no address is kept', async () => {
  const file = join(fleet.folder, 'users.csv')
  const line = (i: number) =>
    i % 1_000 === 7 ? 'nobody,Nobody' : `User${i}@host.example,"Name, ""${i}""\nof two lines"`
  writeFileSync(file, ['email,name', ...Array.from({ length: LINES }, (_, i) => line(i)), ''].join('\n'))
  await using _one = await fleet.replica()
  await using _two = await fleet.replica()
  const first = await upload(file)
  expect(first).toMatchObject({ code: 0 })
  const answer = JSON.parse(first.stdout) as { name: string; run: string }
  expect(answer).toMatchObject({
    name: 'import-users',
    run: expect.stringMatching(/^import-users-/) as string,
  })
  expect(JSON.parse((await upload(file)).stdout)).toEqual(answer)
  await expect
    .poll(async () => (await status()).held, PATIENT)
    .toBe('waits for create-imported-users, which has not succeeded')

  expect((await fleet.enqueue('create-imported-users')).code).toBe(0)
  expect(await fleet.runner('migrations', 'wait', 'import-users', '--timeout', '45s')).toMatchObject({
    code: 0,
  })
  using db = new DatabaseSync(fleet.database, { timeout: 5_000 })
  expect(db.prepare('select count(*) as n from imported_users').get()).toEqual({ n: LINES - 3 })
  expect(db.prepare(`select name from imported_users where email = 'user42@host.example'`).get()).toEqual({
    name: 'Name, "42"\nof two lines',
  })
  const errors = await fleet.runner('migrations', 'errors', 'import-users', '--json')
  expect(JSON.parse(errors.stdout)).toHaveLength(3)
  expect(await status()).toMatchObject({ state: 'succeeded', shards: 8, held: null })
})

test('a browser sends its form through an application that has the token, and is told what was wrong', async () => {
  const server = spawn(process.execPath, [join(EXAMPLE, 'server.ts'), '0'], { env: cleanEnv(env) })
  started.push(server)
  const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string]
  expect(await (await fetch(url)).text()).toContain('enctype="multipart/form-data"')
  const post = (content: string, name: string, type: string) => {
    const form = new FormData()
    form.set('users', new File([content], name, { type }))
    return fetch(new URL('/users', url), { method: 'POST', body: form })
  }
  const taken = await post('email,name\nada@host.example,Ada\n', 'users.csv', 'text/csv')
  expect({ status: taken.status, body: await taken.json() }).toMatchObject({
    status: 202,
    body: { name: 'import-users' },
  })
  const refused = await post('%PDF-1.7 no users', 'users.csv', 'text/csv')
  expect({ status: refused.status, body: await refused.json() }).toMatchObject({
    status: 415,
    body: { code: 'UPLOAD_FILE_TYPE' },
  })
})
