/** `runner migrations test`: on copies, with kills; the original stays as it is. */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  describeDatabases,
  makeUsers,
  startDatabase,
  touches,
  type TestDatabase,
} from '../../helpers/databases.ts'
import { isLong } from '../../helpers/long.ts'
import { project, type Project } from '../../helpers/project.ts'
import { runner } from '../../helpers/runner.ts'

const ROWS = 500
/** Each is copied in a way of its own; that of the third is to be given one. */
const COPIED = isLong ? undefined : (['sqlite', 'postgres'] as const)
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))

describeDatabases(kind => {
  let server: TestDatabase
  let dir: Project
  beforeAll(async () => {
    server = await startDatabase(kind)
    dir = project()
    await makeUsers(server.db, ROWS)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    dir[Symbol.dispose]()
  })

  const test = (...args: string[]) =>
    runner(
      [
        'migrations',
        'test',
        ...args,
        '--jobs',
        fixture('migrations-readme'),
        '--jobs',
        fixture('migrations-unsafe'),
      ],
      { cwd: dir.dir, env: { DATABASE_URL: server.url } },
    )

  if (kind === 'mariadb') {
    it('says that a copy has to be given to it', async () => {
      const ended = await test('fill-domain')
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toContain('of this database no copy can be made')
      expect(ended.stderr).toContain('--on URL')
    })

    it('takes a copy that it is given, and changes it', async () => {
      const ended = await test('fill-domain', '--kills', '2', '--on', server.url)
      expect(ended).toMatchObject({ code: 0, stdout: 'fill-domain: 500 rows, 0 stepped over, 2 kills\n' })
      const [left] = await server.db.query<{ n: number }>(
        'select count(*) as n from users where domain is null',
      )
      expect(left).toEqual({ n: 0 })
      // The runs that it has had are left alone.
      const again = await test('fill-domain', '--kills', '0', '--on', server.url)
      expect(again).toMatchObject({ code: 0 })
      expect(await server.db.query('select id from runner_runs')).toHaveLength(2)
    })
    return
  }

  it('kills it on the way, finds the same as without, and leaves the original', async () => {
    // PostgreSQL copies what nobody is connected to.
    await server.db.close()
    const ended = await test('fill-domain', '--kills', '2')
    expect(ended).toMatchObject({
      code: 0,
      stdout: 'fill-domain: 500 rows, 0 stepped over, 2 kills; the same as without them\n',
    })
    server = await reopened(server)
    expect(await touches(server.db)).toEqual({ 0: ROWS })
    const [left] = await server.db.query<{ n: number | string }>(
      'select count(*) as n from users where domain is null',
    )
    expect(Number(left?.n)).toBe(ROWS)
    expect(readdirSync(tmpdir()).filter(name => name.startsWith('runner-copy-'))).toEqual([])
  })

  // The comparison is the same in both.
  if (kind !== 'sqlite') return

  it('fails when kills change what is written', async () => {
    await server.db.close()
    const file = `${fixture('migrations-unsafe')}/counts-again.ts`
    // Enough that one of them comes after something was committed.
    const ended = await test(file, '--kills', '6', '--json')
    expect(ended.code).toBe(5)
    expect(ended.stderr).toMatch(/without them other rows are in: (public\.)?users/)
    const ignored = await test('counts-again', '--kills', '1', '--ignore', 'domain')
    expect(ignored).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the same as without') as string,
    })
    server = await reopened(server)
  })

  it.each([
    [['nothing'], 6, 'no job is named "nothing"'],
    [['fill-domain', '--kills', 'many'], 2, '--kills: expected 0 to 1000, got "many"'],
    [['fill-domain', '--data', '{'], 2, '--data: '],
  ])('refuses %j', async (args, code, message) => {
    const ended = await test(...args)
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(code)
  })
}, COPIED)

/** On new connections. */
async function reopened(server: TestDatabase): Promise<TestDatabase> {
  const { openDatabase } = await import('../../../src/migration/databases.ts')
  const db = await openDatabase('test', { test: server.url })
  return {
    ...server,
    db,
    async [Symbol.asyncDispose]() {
      await db.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
