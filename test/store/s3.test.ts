import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { takeIn } from '../../src/store/intake.ts'
import { openS3 } from '../../src/store/s3.ts'
import type { Store } from '../../src/store/store.ts'
import { openStores } from '../../src/store/stores.ts'
import { openVerified } from '../../src/store/verified.ts'
import { startFakeS3, type FakeS3 } from '../helpers/fake-s3.ts'
import { KEY, filesIn, holdsItsContract, named } from './contract.ts'

let s3: FakeS3
let store: Store
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test'
  s3 = await startFakeS3()
  store = openS3(s3.place)
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await s3[Symbol.asyncDispose]()
})
beforeEach(() => {
  s3.objects.clear()
  s3.calls.length = 0
})

const leftovers = () => [...s3.objects.keys(), ...[...s3.uploads.values()].map(({ key }) => key)]
const text = (size: number) => Readable.from([Buffer.alloc(size, 'a')])
const take = (size: number) => takeIn(named(store), text(size), { fileName: 'a.txt' })
const read = async (ref: { $file: string }) => buffer(await store.read(ref.$file.slice('uploads/'.length)))
const PARTS = 5_500_000

describe('a bucket', () => {
  holdsItsContract(() => ({
    store,
    place: s3.place,
    tamper: (key, body) => Object.assign(s3.objects.get(`in/${key}`)!, { body, bytes: body.length }),
    leftovers,
  }))

  it('puts what fits one part, and nothing but our own keys and ASCII is sent', async () => {
    await takeIn(named(store), text(5 * 1024 ** 2), { fileName: '../ä\u202e.txt', declared: 'text/plain' })
    expect(s3.calls).toEqual(['put'])
    const [key, object] = [...s3.objects][0]!
    expect(key).toMatch(/^in\/\d{4}\/\d\d\/\d\d\/[0-9a-f-]{36}$/)
    expect(object.type).toBe('text/plain')
    expect(object.metadata).toEqual({ writer: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  })

  it('copies pieces of any size into parts, two on their way at once', async () => {
    const byte = Buffer.alloc(16, 'b')
    const pieces = Array.from({ length: 350_000 }, () => byte)
    const ref = await takeIn(named(store), Readable.from(pieces, { objectMode: false }), {
      fileName: 'a.txt',
    })
    expect(s3.calls.filter(call => call !== 'part')).toEqual(['create', 'complete'])
    expect(s3.calls.filter(call => call === 'part')).toHaveLength(2)
    expect(s3.most.parts).toBeLessThanOrEqual(2)
    expect((await read(ref)).equals(Buffer.alloc(16 * 350_000, 'b'))).toBe(true)
  })

  it.each(['part', 'create', 'complete'])(
    'tries a %s again that failed, or whose connection was cut',
    async on => {
      s3.fail({ on, does: 500 })
      s3.fail({ on, does: 'reset' })
      const ref = await take(PARTS)
      expect((await read(ref)).length).toBe(PARTS)
      expect(leftovers()).toHaveLength(1)
    },
  )

  it.each([
    ['put', 10],
    ['complete', PARTS],
  ])('knows its own file when the answer to a %s is lost', async (on, size) => {
    s3.fail({ on, does: 'lost' })
    expect((await read(await take(size))).length).toBe(size)
    expect(leftovers()).toHaveLength(1)
  })

  it.each([
    ['part', PARTS],
    ['complete', PARTS],
    ['put', 10],
  ])('leaves nothing when every %s is refused, and says what S3 said', async (on, size) => {
    s3.fail({ on, does: 403 })
    await expect(take(size)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/^cannot .* in\/.*: 403 InternalError/),
    })
    expect(leftovers()).toEqual([])
  })

  it('waits for parts that are on their way before it takes an upload back, and looks again after', async () => {
    const stop = new AbortController()
    const held = s3.hold('part', 2)
    const taken = takeIn(named(store), text(20_000_000), { fileName: 'a.txt', signal: stop.signal })
    const goOn = await held
    stop.abort(new Error('told to stop'))
    await expect(taken).rejects.toThrow('told to stop')
    expect(s3.uploads.size).toBe(0)
    // The late part meets an upload that is gone.
    goOn()
    await expect.poll(() => s3.uploads.size).toBe(0)
    expect(s3.calls.slice(-2)).toEqual(['abort', 'parts'])
  })

  it('does not wait for a bucket that hangs once it is aborted', async () => {
    const other = openS3(s3.place)
    const stop = new AbortController()
    const [held, taking] = [s3.hold('part'), s3.hold('abort')]
    const taken = takeIn(named(other), text(20_000_000), { fileName: 'a.txt', signal: stop.signal })
    const goOn = await held
    const began = performance.now()
    stop.abort(new Error('told to stop'))
    await expect(taken).rejects.toThrow('told to stop')
    expect(performance.now() - began).toBeLessThan(10_000)
    // It goes on by itself, and the upload is taken back when the bucket answers again.
    expect(s3.uploads.size).toBe(1)
    const answer = await taking
    answer()
    goOn()
    await expect.poll(() => s3.uploads.size).toBe(0)
    await other[Symbol.asyncDispose]()
  })

  it('does not let a handler wait for a bucket that hangs when its job is aborted', async () => {
    const ref = await take(10)
    await using stores = openStores({ cwd: '/', store: s3.place, stores: {} })
    const stop = new AbortController()
    const held = s3.hold('get')
    const opened = openVerified(stores, ref, stop.signal)
    const goOn = await held
    stop.abort(new Error('out of time'))
    await expect(opened).rejects.toThrow('out of time')
    goOn()
  })

  it('counts an upload that is gone as taken back', async () => {
    s3.fail({ on: 'part', does: 403 })
    s3.fail({ on: 'abort', does: 404 })
    await expect(take(PARTS)).rejects.toThrow('403')
    expect(s3.calls.filter(call => call === 'abort')).toHaveLength(1)
    s3.uploads.clear()
  })

  it('does without the condition where a server does not know it', async () => {
    const other = openS3(s3.place)
    s3.fail({ on: 'put', does: 501 })
    const ref = await takeIn(named(other), text(10), { fileName: 'a.txt' })
    expect((await read(ref)).length).toBe(10)
    await other[Symbol.asyncDispose]()
  })

  it('sweeps uploads that were begun long ago, and none of anybody else', async () => {
    const begun = (key: string, at: number) =>
      s3.uploads.set(key, { key, type: '', metadata: {}, begun: new Date(at), parts: new Map() })
    begun(`in/${KEY}`, Date.now() - 100_000)
    begun(`in/${KEY.replace('0b', '1b')}`, Date.now())
    begun('in/theirs', 0)
    begun('other', 0)
    expect(await store.sweep(Date.now() - 50_000)).toBe(1)
    expect([...s3.uploads.keys()].sort()).toEqual(
      ['in/theirs', 'other', `in/${KEY.replace('0b', '1b')}`].sort(),
    )
    s3.uploads.clear()
  })

  it('lists by the page what is its own', async () => {
    const all = await Promise.all([1, 2, 3, 4, 5].map(take))
    s3.objects.set('in/theirs.txt', { ...[...s3.objects.values()][0]! })
    expect((await filesIn(store)).map(({ key }) => `uploads/${key}`).sort()).toEqual(
      all.map(({ $file }) => $file).sort(),
    )
  })

  it('tells a handler that the store broke off', async () => {
    const ref = await take(1_000_000)
    s3.fail({ on: 'get', does: 'cut' })
    await using stores = openStores({ cwd: '/', store: s3.place, stores: {} })
    const stream = await openVerified(stores, ref, new AbortController().signal)
    await expect(buffer(stream)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
})
