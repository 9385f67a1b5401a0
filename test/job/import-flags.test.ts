import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { importFlags } from '../../src/job/import-flags.ts'

const SOURCE = '--conditions=@bullmq-runner/source'

describe('importFlags', () => {
  test('asks for the sources of this package when it runs from source', () => {
    expect(importFlags([])).toEqual([SOURCE])
    expect(importFlags([SOURCE])).toEqual([SOURCE])
  })

  test('hands on what decides how files are imported, with its value, in both forms', () => {
    const flags = ['--import', 'tsx', '--require=./a.cjs', '-r', './b.cjs', '-C', 'x', '--conditions=y']
    const rest = [
      '--loader',
      './l.mjs',
      '--experimental-loader=./m.mjs',
      '--no-warnings',
      '--enable-source-maps',
    ]
    expect(importFlags([...flags, ...rest])).toEqual([...flags, ...rest, SOURCE])
  })

  test('leaves out everything else, and the value of what it leaves out', () => {
    const others = [
      '--max-old-space-size=64',
      '--expose-gc',
      '--inspect',
      '--stack-trace-limit',
      '3',
      '-e',
      '0',
    ]
    expect(importFlags(others)).toEqual([SOURCE])
  })

  test('gives what a thread starts with', async () => {
    const execArgv = importFlags([
      '--max-old-space-size=64',
      '--expose-gc',
      '--conditions=x',
      '--no-warnings',
    ])
    const worker = new Worker('', { eval: true, execArgv })
    expect(await once(worker, 'exit')).toEqual([0])
  })
})
