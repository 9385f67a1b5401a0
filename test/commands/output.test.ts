import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createOutput, type Format } from '../../src/commands/output.ts'
import { runProgram } from '../../src/commands/program.ts'
import { Quarantine } from '../../src/redis/quarantine.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let written = ''
const capture = () => {
  written = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    written += String(chunk)
    return true
  })
}
afterEach(() => vi.restoreAllMocks())

describe('print', () => {
  const print = (format: Format, data: unknown): string => {
    capture()
    createOutput(format).print('as text', data)
    return written
  }

  test.each([
    ['text', [1], 'as text\n'],
    ['json', [1, { a: 'b\n' }], '[1,{"a":"b\\n"}]\n'],
    ['json', [], '[]\n'],
    ['jsonl', [1, { a: 'b\n' }], '1\n{"a":"b\\n"}\n'],
    ['jsonl', [], ''],
    ['jsonl', { rows: [1, 2] }, '{"rows":[1,2]}\n'],
  ] as const)('%s of %j', (format, data, expected) => {
    expect(print(format, data)).toBe(expected)
  })
})

describe('of the verbs', () => {
  let redis: TestRedis
  let dir: Project
  let before: string
  beforeAll(async () => {
    redis = await startRedis()
    const client = redis.client()
    for (const name of ['mail', 'reports'])
      await new Queue(name, { connection: client }).add('hello', { name })
    for (const id of ['1', '2'])
      await new Quarantine(client, 'bull').put({
        queue: 'mail',
        id,
        job: 'hog',
        cause: 'exit',
        reason: 'exit 1',
        peakRss: 0,
        crashes: 3,
        at: 0,
      })
    dir = project({ 'jobs/hello.mjs': 'export default () => 1' })
    before = process.cwd()
    process.chdir(dir.dir)
  })
  afterAll(async () => {
    process.chdir(before)
    process.exitCode = 0
    dir[Symbol.dispose]()
    await redis.stop()
  })

  const run = async (format: Format, line: string): Promise<string> => {
    capture()
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    await runProgram([...line.split(' '), '--redis', redis.url, '-o', format])
    vi.restoreAllMocks()
    return written
  }

  test.each([
    ['queues list', 2],
    ['queues quarantine', 2],
    ['jobs list', 2],
    ['fleet list', 0],
    ['fleet pardon', 0],
    ['migrations list', 0],
    ['doctor', undefined],
    ['config', undefined],
    ['check', undefined],
    ['enqueue hello --dry-run', undefined],
    ['completion bash', undefined],
  ])('%s is one document, and as jsonl a line for each row', async (line, rows) => {
    const json = await run('json', line)
    expect(json).toMatch(/^[^\n]+\n$/)
    const whole = JSON.parse(json) as unknown
    const lines = (await run('jsonl', line)).split('\n').filter(text => text !== '')
    expect(lines.map(text => Object.keys(JSON.parse(text) as object))).toEqual(
      [whole].flat().map(row => Object.keys(row as object)),
    )
    if (rows !== undefined) expect(lines).toHaveLength(rows)
    expect(await run('text', line)).not.toMatch(/^[[{]/)
  })
})
