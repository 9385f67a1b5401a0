/** What every store holds, whatever is behind it. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { takeIn, type NamedStore } from '../../src/store/intake.ts'
import type { Store, StoredFile } from '../../src/store/store.ts'
import { openStores } from '../../src/store/stores.ts'
import { openVerified } from '../../src/store/verified.ts'

export interface Subject {
  store: Store
  place: string
  /** Changes the bytes of a stored file behind its back. */
  tamper: (key: string, bytes: Buffer) => void
  /** All that is there, parts and temporary files too. */
  leftovers: () => string[]
}

export const KEY = '2026/11/26/0b2f0b0e-5f0a-4c53-9d5c-0d6f8a3b1c22'

export const filesIn = async (store: Store): Promise<StoredFile[]> => {
  const files: StoredFile[] = []
  for await (const file of store.list()) files.push(file)
  return files
}

export const named = (store: Store): NamedStore => ({ name: 'uploads', store })

export function holdsItsContract(subject: () => Subject): void {
  it('gives back what it was given, whole and in parts', async () => {
    const { store } = subject()
    const bytes = Buffer.alloc(6_000_000, 'name,email\n')
    const pieces = [bytes.subarray(0, 7), bytes.subarray(7, 5_400_001), bytes.subarray(5_400_001)]
    const ref = await takeIn(named(store), Readable.from(pieces), { fileName: 'a.csv', types: ['text/csv'] })
    expect(ref).toEqual({
      $file: expect.stringMatching(/^uploads\/\d{4}\/\d\d\/\d\d\/[0-9a-f-]{36}$/),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      type: 'text/csv',
      name: 'a.csv',
    })
    const key = ref.$file.slice('uploads/'.length)
    expect((await buffer(await store.read(key))).equals(bytes)).toBe(true)
    const part = await buffer(await store.read(key, { start: 4_999_990, end: 5_000_010 }))
    expect(part.equals(bytes.subarray(4_999_990, 5_000_011))).toBe(true)
    const end = await buffer(await store.read(key, { start: bytes.length - 3 }))
    expect(end.equals(bytes.subarray(-3))).toBe(true)
    expect(await filesIn(store)).toEqual([{ key, bytes: bytes.length, storedAt: expect.any(Number) }])
    expect(Math.abs((await filesIn(store))[0]!.storedAt - Date.now())).toBeLessThan(60_000)
    await store.remove(key)
    await store.remove(key)
    expect(subject().leftovers()).toEqual([])
    await expect(store.read(key)).rejects.toMatchObject({ code: 'FILE_MISSING' })
  })

  it('stores a file without a byte', async () => {
    const { store } = subject()
    const ref = await takeIn(named(store), Readable.from([]), { fileName: 'nothing' })
    expect(ref.bytes).toBe(0)
    expect((await buffer(await store.read(ref.$file.slice('uploads/'.length)))).length).toBe(0)
    await store.remove(ref.$file.slice('uploads/'.length))
  })

  it.each([100, 6_000_000])('never writes over a file, of %i bytes', async size => {
    const { store } = subject()
    await pipeline(Readable.from([Buffer.from('first')]), store.write(KEY, { type: 'text/plain' }))
    const second = store.write(KEY, { type: 'text/plain' })
    await expect(pipeline(Readable.from([Buffer.alloc(size)]), second)).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
    await second.settled
    expect((await buffer(await store.read(KEY))).toString()).toBe('first')
    await store.remove(KEY)
    expect(subject().leftovers()).toEqual([])
  })

  it.each([10, 6_000_000])('leaves nothing when its source breaks off after %i bytes', async size => {
    const { store, leftovers } = subject()
    const source = Readable.from(
      (async function* () {
        yield Buffer.alloc(size, 'a')
        throw new Error('the client is gone')
      })(),
    )
    await expect(takeIn(named(store), source, { fileName: 'a.txt' })).rejects.toThrow('the client is gone')
    expect(leftovers()).toEqual([])
  })

  it('leaves nothing when it is aborted, and fails with the reason', async () => {
    const { store, leftovers } = subject()
    const stop = new AbortController()
    const source = new Readable({ read() {} })
    source.push(Buffer.alloc(6_000_000, 'a'))
    const taken = takeIn(named(store), source, { fileName: 'a.txt', signal: stop.signal })
    await expect.poll(() => leftovers().length).toBeGreaterThan(0)
    stop.abort(new Error('told to stop'))
    await expect(taken).rejects.toThrow('told to stop')
    expect(leftovers()).toEqual([])
    await expect(
      takeIn(named(store), Readable.from([Buffer.from('a')]), { fileName: 'a.txt', signal: stop.signal }),
    ).rejects.toThrow('told to stop')
  })

  it('stops at the limit, and leaves nothing', async () => {
    const { store, leftovers } = subject()
    const about = { fileName: 'a.txt', maxBytes: 5_500_000 }
    await expect(
      takeIn(named(store), Readable.from([Buffer.alloc(5.4e6, 'a'), Buffer.alloc(5.4e6, 'a')]), about),
    ).rejects.toMatchObject({ code: 'FILE_REFUSED', details: { reason: 'size', limit: 5_500_000 } })
    expect(leftovers()).toEqual([])
    const whole = await takeIn(named(store), Readable.from([Buffer.alloc(5.5e6, 'a')]), about)
    await store.remove(whole.$file.slice('uploads/'.length))
  })

  it('ends a stream that is read back only when all of it is what was stored', async () => {
    const { store, place, tamper } = subject()
    const ref = await takeIn(named(store), Readable.from([Buffer.from('a,b\n1,2\n')]), { fileName: 'a.csv' })
    await using stores = openStores({ cwd: '/', store: place, stores: {} })
    const { signal } = new AbortController()
    expect((await buffer(await openVerified(stores, ref, signal))).toString()).toBe('a,b\n1,2\n')
    const key = ref.$file.slice('uploads/'.length)
    for (const other of ['a,b\n1,3\n', 'a,b\n', 'a,b\n1,2\n3,4\n']) {
      tamper(key, Buffer.from(other))
      const stream = await openVerified(stores, ref, signal)
      await expect(buffer(stream)).rejects.toMatchObject({
        code: 'FILE_CHANGED',
        message: expect.stringContaining('(a.csv) is not what was stored'),
      })
    }
    await store.remove(key)
    await expect(openVerified(stores, ref, signal)).rejects.toMatchObject({ code: 'FILE_MISSING' })
  })
}
