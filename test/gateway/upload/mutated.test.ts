/**
 * 20,000 damaged forms: each is taken whole or refused for what is wrong with it; none hangs, none is a fault of ours, and
 * none leaves anything. The seed is fixed. One of each kind of end is kept in test/fixtures/multipart/.
 */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { openBusboy, type OpenParser } from '../../../src/gateway/upload/form-parser.ts'
import { MultipartReader } from '../../../src/gateway/upload/multipart-reader.ts'
import { receiveUpload } from '../../../src/gateway/upload/receive.ts'
import { Refusal } from '../../../src/gateway/upload/refusal.ts'
import { UploadSlots } from '../../../src/gateway/upload/slots.ts'
import { Events } from '../../../src/observe/events.ts'
import { openFastifyBusboy } from '../../helpers/fastify-parser.ts'
import { isLong } from '../../helpers/long.ts'
import { MemoryStore } from '../../helpers/memory-store.ts'
import { BOUNDARY } from '../../helpers/multipart.ts'
import { mutatedForm, partsBetween, randomBy } from '../../helpers/mutated-forms.ts'
import { LIMITS } from '../../helpers/upload-desk.ts'

const SEED = 20_261_126
const EXPECTED = new Set([202, 400, 413, 415, 422])

/** The same ones each time. */
async function mutate(count: number, each: (body: Buffer, pieces: Buffer[]) => Promise<void>): Promise<void> {
  const random = randomBy(SEED)
  const { stackTraceLimit } = Error
  // Most of them end with several errors, of which nobody looks at the stack: it is half of the time.
  Error.stackTraceLimit = 0
  try {
    for (let i = 0; i < count; i++) {
      const { body, pieces } = mutatedForm(random)
      await each(body, pieces)
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What became of it: 'taken', or status, code and detail. Rejects for what is no refusal, and when nothing moves any more. */
async function endOf(taking: Promise<unknown>): Promise<string> {
  const settled = taking.then(
    () => 'taken',
    (error: unknown) => {
      if (error instanceof Refusal) return `${error.status} ${error.code}: ${error.detail}`
      throw error
    },
  )
  const { promise: hung, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => void outlast(reject), 250)
  return Promise.race([settled, hung]).finally(() => clearTimeout(timer))
}

/** A host without CPU is no hang: the loop has to have turned many times, too. */
async function outlast(reject: (error: Error) => void): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) await new Promise(resolve => setImmediate(resolve))
  reject(new Error('it hangs'))
}

/** Contents of files as the reader gives them. */
async function read(pieces: Buffer[], open: OpenParser): Promise<Buffer[]> {
  const files: Buffer[] = []
  for await (const part of new MultipartReader(Readable.from(pieces), BOUNDARY, LIMITS, open))
    if (part.kind === 'file') files.push(Buffer.concat(await part.body.toArray()))
  return files
}

/** No file was cut, and none begins elsewhere: each is all that lies between two delimiters, in their order. */
function expectWhole(body: Buffer, files: Iterable<Buffer>): void {
  const parts = partsBetween(body)
  for (const file of files) {
    const at = parts.findIndex(part => part.equals(file))
    expect(at, JSON.stringify(body.toString('latin1'))).not.toBe(-1)
    parts.splice(0, at + 1)
  }
}

it('reads 20,000 damaged forms whole, or refuses them', async () => {
  const ends = new Map<number, number>()
  await mutate(20_000, async (body, pieces) => {
    const end = await endOf(read(pieces, openBusboy).then(files => expectWhole(body, files)))
    const status = end === 'taken' ? 202 : Number(end.slice(0, 3))
    if (!EXPECTED.has(status)) throw new Error(`${end}: ${JSON.stringify(body.toString('latin1'))}`)
    ends.set(status, (ends.get(status) ?? 0) + 1)
  })
  // Neither all of them, nor none.
  for (const status of [202, 400]) expect(ends.get(status)).toBeGreaterThan(1_000)
}, 120_000)

it('does so with another parser, too', async () => {
  await mutate(isLong ? 20_000 : 2_000, async (body, pieces) => {
    const end = await endOf(read(pieces, openFastifyBusboy).then(files => expectWhole(body, files)))
    expect(end).toMatch(/^(taken|4(00|13|15|22) )/)
  })
}, 120_000)

it('keeps all that it stores of damaged forms, or nothing, and no place', async () => {
  const store = new MemoryStore()
  const slots = new UploadSlots(LIMITS)
  const reception = {
    target: { name: 'uploads', store },
    limits: LIMITS,
    slots,
    fields: { users: { list: true } } as const,
    caller: { name: 'tests' },
    signal: new AbortController().signal,
    events: new Events(),
  }
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
  let taken = 0
  await mutate(isLong ? 20_000 : 1_000, async (body, pieces) => {
    const request = Object.assign(Readable.from(pieces), { headers, complete: true })
    const take = async () => {
      const received = await receiveUpload(request, reception)
      expectWhole(body, store.files.values())
      taken++
      await received.discard()
    }
    const end = await endOf(take())
    expect([end, store.files.size, store.open, slots.active]).toEqual([
      expect.stringMatching(/^(taken|4(00|13|15|22) )/),
      0,
      0,
      0,
    ])
  })
  expect(taken).toBeGreaterThan(50)
}, 120_000)

interface Kept {
  /** Bytes as Latin-1. */
  form: string
  busboy: string
  fastify: string
}

const KEPT = JSON.parse(
  readFileSync(new URL('../../fixtures/multipart/kept.json', import.meta.url), 'utf8'),
) as Kept[]

it('ends each kept form as it did before, however it is cut into pieces', async () => {
  for (const { form, busboy, fastify } of KEPT) {
    const body = Buffer.from(form, 'latin1')
    for (const length of [1, 7, body.length || 1]) {
      const pieces = Array.from({ length: Math.ceil(body.length / length) }, (_, i) =>
        body.subarray(i * length, (i + 1) * length),
      )
      expect([form, await endOf(read(pieces, openBusboy))]).toEqual([form, busboy])
      expect([form, await endOf(read(pieces, openFastifyBusboy))]).toEqual([form, fastify])
    }
  }
})
