/** Uploads as connections: clients that go, dawdle, wait for leave or do not stop sending; stores that hold them back. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { DirectoryStore } from '../../../src/store/directory.ts'
import { Upload, form, upload, type Sending } from '../../helpers/multipart.ts'
import { UploadDesk } from '../../helpers/upload-desk.ts'

const MIB = 1024 ** 2
const csv = (bytes: number) =>
  form([{ name: 'users', fileName: 'users.csv', type: 'text/csv', content: Buffer.alloc(bytes, 'x\n') }])
const small = csv(10)

/** Nothing is stored or being stored, and no place is taken. */
const isEmpty = ({ store, slots }: UploadDesk) =>
  [store.files.size, store.open, slots.active].join() === '0,0,0'

it('leaves nothing of an upload whose client went in the middle, by a reset or by an end', async () => {
  await using desk = await UploadDesk.open()
  const body = csv(MIB)
  for (const how of ['drop', 'end'] as const) {
    await using one = await Upload.begin(desk.url, body)
    await one.send(body, { cut: { at: body.length / 2, how } })
    await expect.poll(() => desk.words.at(-1)).toBe('aborted client_gone')
    expect(isEmpty(desk)).toBe(true)
    desk.told.length = 0
  }
  expect(desk.received).toEqual([])
})

it('leaves no file in a folder, not even a temporary one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'uploads-'))
  await using desk = await UploadDesk.open({
    store: new DirectoryStore(folder),
    fields: { users: { list: true } },
  })
  const files = async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(({ name }) => name)
  }
  const part = (bytes: number) => ({ name: 'users', fileName: 'a.csv', content: Buffer.alloc(bytes, 'x') })
  const body = form([part(100), part(600_000)])
  await using one = await Upload.begin(desk.url, body)
  await one.send(body, { cut: { at: 300_000, how: 'drop' } })
  await expect.poll(() => desk.words.at(-1)).toBe('aborted client_gone')
  expect(await files()).toEqual([])
  expect((await upload(desk.url, form([part(100), part(MIB + 1)]))).status).toBe(413)
  expect(await files()).toEqual([])
  expect((await upload(desk.url, body)).status).toBe(202)
  expect(await files()).toHaveLength(2)
  await rm(folder, { recursive: true })
})

it('lets a client that is still sending see its 413, each time', async () => {
  await using desk = await UploadDesk.open({ limits: { maxTotal: MIB } })
  const seen: number[] = []
  const see = async (bytes: number, sending: Sending) => {
    const body = csv(bytes)
    for (let i = 0; i < 20; i++) seen.push((await upload(desk.url, body, sending)).status)
  }
  // Those that look for an answer while they send, and those that look when they have sent what was under way.
  await see(6 * MIB, { chunked: true })
  const late = { readsLate: true, pace: () => setImmediate() }
  await see(1.9 * MIB, { ...late, chunked: true })
  // Known before the first byte.
  await see(1.01 * MIB, late)
  expect(seen).toEqual(Array.from({ length: 60 }, () => 413))
  expect(isEmpty(desk)).toBe(true)
})

it('lets a client see that it may not, whatever it sends and to what route, and closes its connection', async () => {
  await using desk = await UploadDesk.open({ guard: () => new Response('no', { status: 401 }) })
  const { status, headers, text } = await upload(desk.url, csv(8 * MIB), { path: '/echo' })
  expect([status, text, headers['connection']]).toEqual([401, 'no', 'close'])
})

it('ends an upload of which no byte comes, and one that only drips', async () => {
  await using desk = await UploadDesk.open({ limits: { idle: 150, minRate: 1_000 } })
  const body = csv(MIB)
  await using silent = await Upload.begin(desk.url, body)
  await silent.send(body, { cut: { at: 500, how: 'end' }, piece: 500 }).catch(() => undefined)
  await using mute = await Upload.begin(desk.url, body)
  mute.socket.write(body.subarray(0, 500))
  expect(await mute.answer).toMatchObject({ status: 408 })
  expect((await mute.answer).text).toContain('no byte has come for 150ms')
  await using loris = await Upload.begin(desk.url, body)
  const wait = () => new Promise(resolve => setTimeout(resolve, 20))
  await loris.send(body, { piece: 1, pace: wait })
  expect((await loris.answer).text).toContain('the client sends less than 1000 bytes a second')
  expect(desk.words.filter(word => word === 'refused slow')).toHaveLength(2)
  expect(isEmpty(desk)).toBe(true)
})

it('ends an upload that takes so long that its first file would be swept before its job is there', async () => {
  await using desk = await UploadDesk.open({
    fields: { users: { list: true } },
    limits: { orphanAge: 1_000 },
  })
  const part = { name: 'users', fileName: 'a.csv', content: Buffer.alloc(200_000, 'x') }
  const body = form([part, part])
  await using one = await Upload.begin(desk.url, body)
  await one.send(body.subarray(0, 200_500))
  const { status, text } = await one.answer
  expect([status, text]).toEqual([408, expect.stringContaining('longer than 500ms')])
  expect(isEmpty(desk)).toBe(true)
})

it('does not take a slow store for a slow client, and takes no more from the client than the store does', async () => {
  await using desk = await UploadDesk.open({
    limits: { idle: 100, minRate: 1_000, maxFile: 9 * MIB, maxTotal: 9 * MIB },
  })
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  desk.store.faults = { hold: () => gate }
  const body = csv(8 * MIB)
  await using one = await Upload.begin(desk.url, body)
  const sending = one.send(body)
  await expect.poll(() => desk.store.open).toBe(1)
  // Five times as long as a client may be silent.
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(desk.words).toEqual(['started'])
  // Some in each stream on the way; the rest is with the client, or in the buffers of the kernel.
  expect(desk.slots.received).toBeLessThan(MIB)
  open()
  await sending
  expect((await one.answer).status).toBe(202)
  expect(desk.slots.received).toBe(body.length)
})

it('reads a body of tiny chunks as few large ones', async () => {
  await using desk = await UploadDesk.open()
  const body = csv(100_000)
  expect((await upload(desk.url, body, { chunked: true, piece: 16 })).status).toBe(202)
  const { writes } = desk.store
  expect(writes.reduce((sum, size) => sum + size, 0)).toBe(100_000)
  expect(writes.length).toBeLessThan(500)
})

it('asks for the body only of those whose headers are good, and waits with it until then', async () => {
  await using desk = await UploadDesk.open({ caller: { name: 'tests', uploads: 1 } })
  const headers = { expect: '100-continue' }
  await using large = await Upload.begin(desk.url, small, { headers, length: 3 * MIB })
  expect((await large.answer).status).toBe(413)
  await using good = await Upload.begin(desk.url, small, { headers })
  await good.wanted
  // The place is taken before a byte was sent.
  await using late = await Upload.begin(desk.url, small, { headers })
  const { status, headers: said } = await late.answer
  expect([status, said['retry-after'], said['connection']]).toEqual([429, '5', 'close'])
  await good.send(small)
  expect((await good.answer).status).toBe(202)
  await using json = await Upload.begin(desk.url, small, { headers, path: '/echo' })
  await json.wanted
  await json.send(small)
  expect((await json.answer).text).toBe(JSON.stringify({ bytes: small.length }))
})

it('receives so many at once, of all and of each token, and then has places again', async () => {
  await using desk = await UploadDesk.open({ limits: { concurrent: 4 }, caller: { name: 'a', uploads: 3 } })
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  desk.store.faults = { hold: () => gate }
  const begin = async (name: string, uploads?: number) => {
    desk.caller = { name, ...(uploads !== undefined && { uploads }) }
    const { active } = desk.slots
    const one = await Upload.begin(desk.url, small)
    await one.send(small)
    await Promise.race([one.answer, expect.poll(() => desk.slots.active).toBe(active + 1)])
    return one
  }
  const taken = [await begin('a', 3), await begin('a', 3), await begin('a', 3)]
  expect((await (await begin('a', 3)).answer).text).toContain('3 uploads of a are received already')
  // Without a number of its own, a token has a quarter.
  taken.push(await begin('b'))
  expect((await (await begin('c')).answer).text).toContain('4 uploads are received already')
  open()
  expect(await Promise.all(taken.map(async one => (await one.answer).status))).toEqual([202, 202, 202, 202])
  await expect.poll(() => desk.slots.active).toBe(0)
  const last = await begin('c')
  expect((await last.answer).status).toBe(202)
  expect(desk.words.filter(word => word === 'refused busy')).toHaveLength(2)
})

it('receives no more bytes of a token at once than it may, announced or not', async () => {
  const caller = { name: 'a', uploads: 4, uploadBytes: 300_000 }
  await using desk = await UploadDesk.open({ caller })
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  desk.store.faults = { hold: () => gate }
  const body = csv(200_000)
  await using first = await Upload.begin(desk.url, body)
  const sending = first.send(body)
  await expect.poll(() => desk.slots.active).toBe(1)
  const second = await upload(desk.url, body)
  expect([second.status, JSON.parse(second.text).code]).toEqual([429, 'UPLOAD_BUSY'])
  desk.store.faults = {}
  expect((await upload(desk.url, body, { chunked: true })).status).toBe(429)
  expect((await upload(desk.url, csv(400_000))).status).toBe(413)
  open()
  await sending
  expect((await first.answer).status).toBe(202)
  expect((await upload(desk.url, body)).status).toBe(202)
  expect(desk.store.files.size).toBe(2)
})

it('ends what it receives when the process stops, with an answer, and leaves nothing of it', async () => {
  await using desk = await UploadDesk.open()
  const body = csv(MIB)
  await using one = await Upload.begin(desk.url, body)
  one.socket.write(body.subarray(0, 300_000))
  await expect.poll(() => desk.store.writes.length).toBeGreaterThan(0)
  desk.stop.abort()
  const { status, headers } = await one.answer
  expect([status, headers['retry-after']]).toEqual([503, '5'])
  expect(desk.words).toEqual(['started', 'aborted stopping'])
  expect(isEmpty(desk)).toBe(true)
})

it('ends also where the store hangs, when the process stops or the client goes, and leaves nothing of it', async () => {
  await using desk = await UploadDesk.open({ fields: { users: { list: true } } })
  const { promise: never } = Promise.withResolvers<void>()
  const part = (bytes: number) => ({ name: 'users', fileName: 'a.csv', content: Buffer.alloc(bytes, 'x') })
  const body = form([part(10), part(MIB)])
  const begin = async () => {
    desk.store.faults = {}
    desk.told.length = 0
    const one = await Upload.begin(desk.url, body)
    one.socket.write(body.subarray(0, 300))
    await expect.poll(() => desk.store.files.size).toBe(1)
    desk.store.faults = { hold: () => never }
    // Not so much that nothing more is read: then Node does not hear of a client that goes.
    one.socket.write(body.subarray(300, 100_000))
    await expect.poll(() => desk.store.open).toBe(1)
    return one
  }
  await using left = await begin()
  left.socket.resetAndDestroy()
  await expect.poll(() => desk.words.at(-1), { timeout: 5_000 }).toBe('aborted client_gone')
  expect(isEmpty(desk)).toBe(true)
  await using stopped = await begin()
  desk.stop.abort()
  expect((await stopped.answer).status).toBe(503)
  expect(desk.words).toEqual(['started', 'aborted stopping'])
  expect(isEmpty(desk)).toBe(true)
})
