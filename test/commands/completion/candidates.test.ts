import { DatabaseSync } from 'node:sqlite'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { candidatesFor, type Answer } from '../../../src/commands/completion/candidates.ts'
import { splitLine } from '../../../src/commands/completion/typed-line.ts'
import { GROUPS, VERBS } from '../../../src/commands/verbs.ts'
import { openLedgerOf } from '../../../src/migration/databases.ts'
import { OPTIONS } from '../../../src/options.ts'
import { Blockers } from '../../../src/redis/blockers.ts'
import { Quarantine } from '../../../src/redis/quarantine.ts'
import { Replicas, type Replica } from '../../../src/redis/replicas.ts'
import { project, type Project } from '../../helpers/project.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'

const FILES = {
  'runner.config.mjs':
    'export default { databases: { other: "sqlite:other.db" }, profiles: { production: {}, ci: {} } }',
  'jobs/emails/send.mjs': 'throw new Error("imported")',
  'jobs/hello.mjs': 'throw new Error("imported")',
  'elsewhere/there.mjs': 'throw new Error("imported")',
}

let dir: Project
let before: string
beforeAll(() => {
  dir = project(FILES)
  before = process.cwd()
  process.chdir(dir.dir)
})
afterAll(() => {
  process.chdir(before)
  dir[Symbol.dispose]()
})

async function answerTo(line: string): Promise<Answer> {
  const { words, last } = splitLine(line)
  const answer: Answer = { offers: new Map(), directive: 4 }
  await candidatesFor(words, last, answer)
  return answer
}
const complete = async (line: string) => [...(await answerTo(line)).offers.keys()]

describe('verbs', () => {
  test('all of them, and the first words of those of two', async () => {
    const first = new Set(Object.keys(VERBS).map(name => name.split(' ')[0]))
    expect(new Set(await complete(''))).toEqual(first)
    expect((await answerTo('')).offers.get('migrations')).toBe(GROUPS['migrations'])
  })

  test.each([
    ['enq', ['enqueue']],
    ['--redis redis://x:1 enq', ['enqueue']],
    ['help enq', ['enqueue']],
    ['migrations re', ['resume', 'retry-failed']],
    ['migrations --json ver', ['verify']],
    ['nothing ', []],
    ['migrations nothing ', []],
    ['init', ['init']],
  ])('%j', async (line, expected) => {
    expect(await complete(line)).toEqual(expected)
  })
})

describe('flags', () => {
  test.each([
    ['work --executor', ['--executors', '--executor-memory', '--executor-max-jobs']],
    ['enqueue hello --dr', ['--dry-run']],
    ['migrations wait x --tim', ['--timeout']],
    ['migrations pause --prof', ['--profile']],
    ['--conf', ['--config']],
    ['fleet --redi', ['--redis']],
    ['init --hel', ['--help']],
  ])('%j', async (line, expected) => {
    expect(await complete(line)).toEqual(expected)
  })

  test('each with what it means', async () => {
    expect((await answerTo('work --isol')).offers.get('--isolation')).toContain('RUNNER_ISOLATION')
  })

  test.each([
    ['work --isolation ', ['thread', 'process']],
    ['work --isolation=pr', ['process']],
    ['-o json', ['json', 'jsonl']],
    ['config --log-level ', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']],
    ['verify --fault block --fault f', ['freeze']],
    ['new ', ['job', 'script', 'migration', 'token']],
    ['jobs retry --state f', ['failed']],
    ['jobs list --name he', ['hello']],
    ['new job x ', []],
    ['completion z', ['zsh']],
    ['work --concurrency ', []],
    ['config --profile ', ['production', 'ci']],
    ['--profile p', []],
  ])('what they and arguments take: %j', async (line, expected) => {
    expect(await complete(line)).toEqual(expected)
  })

  test.each([
    ['--config ', 0],
    ['work --config=x', 0],
    ['work --jobs ', 16],
    ['init ', 16],
    ['work --prefix ', 4],
  ])('files and folders are left to the shell: %j', async (line, directive) => {
    expect(await answerTo(line)).toEqual({ offers: new Map(), directive })
  })
})

describe('names of this project', () => {
  test('jobs, by their files, none of which is imported', async () => {
    expect(await complete('enqueue ')).toEqual(['emails/send', 'hello'])
    expect(await complete('enqueue em')).toEqual(['emails/send'])
    expect(await complete('enqueue --jobs elsewhere ')).toEqual(['there'])
    expect(await complete('enqueue hello ')).toEqual([])
  })

  test('settings', async () => {
    expect(await complete('config ')).toEqual(Object.keys(OPTIONS))
  })

  test('runs of migrations, from ledgers that are there', async () => {
    const databases = { default: `sqlite:${dir.path('.runner/app.db')}` }
    new DatabaseSync(dir.path('other.db')).exec('create table users (id integer)')
    dir.write({ '.runner/app.db': '' })
    const ledger = await openLedgerOf('default', databases)
    const spec = { name: 'fill', args: '{}', checksum: 'x', queue: 'migrations', shards: 1, again: false }
    const { run } = await ledger.runs.enrol(spec)
    await ledger.db.close()
    expect(await complete('migrations status ')).toEqual([run.id, 'fill'])
    expect((await answerTo('migrations status ')).offers.get(run.id)).toBe('planning')
    using other = new DatabaseSync(dir.path('other.db'))
    expect(other.prepare('select name from sqlite_master').all()).toEqual([{ name: 'users' }])
    expect(other.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'delete' })
  })
})

describe('names in Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
    const client = redis.client()
    for (const name of ['mail', 'reports']) {
      const queue = new Queue(name, { connection: client })
      await queue.add('hello', {}, { jobId: `${name}-1` })
      await queue.add('hello', {}, { jobId: `${name}-2`, delay: 60_000 })
    }
    await new Blockers(client, 'bull').remember({ job: 'slow', where: 'at x:1', ms: 1, native: false, at: 0 })
    await new Quarantine(client, 'bull').put({
      queue: 'mail',
      id: 'q7',
      job: 'hog',
      cause: 'exit',
      reason: 'x',
      peakRss: 0,
      crashes: 3,
      at: 0,
    })
  })
  // It is there for so long as it says so.
  beforeEach(async () => {
    const replica = { id: 'web-1-abc', queues: { worked: 1 }, running: 2 } as unknown as Replica
    await new Replicas(redis.client(), 'bull').publish(replica)
  })
  afterAll(() => redis.stop())

  test.each([
    ['doctor ', ['mail', 'reports', 'worked']],
    ['enqueue hello --queue re', ['reports']],
    ['enqueue hello --queue=re', ['reports']],
    ['enqueue hello --to x --queue m', ['mail']],
    ['fleet concurrency mail 5 ', ['web-1-abc']],
    ['fleet quiet web-1-abc w', ['web-1-abc']],
    ['fleet pardon ', ['slow']],
    ['jobs release ', ['q7']],
    ['jobs show ', ['mail-1', 'mail-2', 'reports-1', 'reports-2']],
    ['jobs cancel --queue mail --reason x ', ['mail-1', 'mail-2']],
    ['queues pause mail r', ['reports']],
  ])('%j, where --redis says', async (line, expected) => {
    expect((await complete(`--redis ${redis.url} ${line}`)).sort()).toEqual(expected)
  })

  test('none of another prefix', async () => {
    expect(await complete(`doctor --redis ${redis.url} --prefix other `)).toEqual([])
  })

  test('it rejects where no Redis is: nobody waits', async () => {
    await expect(complete('--redis redis://127.0.0.1:1 doctor ')).rejects.toThrow()
  })
})
