/** What an upload ends as: stored whole and hashed, or refused with nothing left. Against a real server, by a client that misbehaves. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { BOUNDARY, form, upload, type FormPart, type Sending } from '../../helpers/multipart.ts'
import { UploadDesk, type DeskOptions } from '../../helpers/upload-desk.ts'

const CSV: FormPart = { name: 'users', fileName: 'users.csv', type: 'text/csv', content: 'id,name\n1,Ada\n' }
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

/** One request to a desk of its own. It is refused, and nothing is left of it: no file, no part of one, no place taken. */
async function refused(options: DeskOptions, body: Buffer, sending: Sending = {}) {
  await using desk = await UploadDesk.open(options)
  const answer = await upload(desk.url, body, sending)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect([desk.store.files.size, desk.store.open, desk.slots.active, desk.received.length]).toEqual([
    0, 0, 0, 0,
  ])
  const { status, code, detail } = JSON.parse(answer.text) as { status: number; code: string; detail: string }
  expect(status).toBe(answer.status)
  expect(desk.words.at(-1)).toBe(`refused ${code.slice('UPLOAD_'.length).toLowerCase()}`)
  return `${status} ${code}: ${detail}`
}

it('stores and hashes a file before it answers, and gives the text beside it, in whatever order', async () => {
  await using desk = await UploadDesk.open()
  const parts = [
    { name: 'note', content: 'früh' },
    CSV,
    { name: 'options', type: 'application/json', content: '{"dry":true,"ids":[1,2]}' },
  ]
  for (const [i, ordered] of [parts, parts.toReversed()].entries()) {
    const { status, text } = await upload(desk.url, form(ordered), { piece: i === 0 ? 65_536 : 7 })
    expect([status, text]).toEqual([202, expect.any(String)])
    const { fields, files } = JSON.parse(text)
    expect(fields).toEqual({ note: 'früh', options: { dry: true, ids: [1, 2] } })
    expect(files.users).toEqual({
      $file: expect.stringMatching(/^uploads\/\d{4}\/\d{2}\/\d{2}\/[0-9a-f-]{36}$/),
      sha256: sha256(CSV.content!),
      bytes: 14,
      type: 'text/csv',
      name: 'users.csv',
    })
    expect(desk.store.files.get(files.users.$file.slice('uploads/'.length))!.toString()).toBe(CSV.content)
  }
  expect(desk.words).toEqual(['started', 'stored', 'started', 'stored'])
})

it('takes files of a list, one by its checksum, one in chunks, and none where a browser has chosen none', async () => {
  await using desk = await UploadDesk.open({
    fields: { users: { list: true }, logo: { optional: true, types: ['image/*'] } },
  })
  const none = { name: 'logo', fileName: '', type: 'application/octet-stream' }
  const two = await upload(desk.url, form([CSV, { ...CSV, fileName: '../../etc/pass\u202Ewd.csv' }, none]))
  expect(two.status).toBe(202)
  const { files } = JSON.parse(two.text)
  // What the client calls a file is for people: no folder, nothing that turns text around.
  expect(files.users.map(({ name }: { name: string }) => name)).toEqual(['users.csv', 'passwd.csv'])
  expect(files.logo).toBeUndefined()
  const empty = await upload(desk.url, form([none]))
  expect(JSON.parse(empty.text).files).toEqual({ users: [] })
  const headers = { 'x-checksum-sha256': sha256(CSV.content!).toUpperCase() }
  expect((await upload(desk.url, form([CSV]), { headers, chunked: true, piece: 16 })).status).toBe(202)
})

it('gives all files back when no job comes of them', async () => {
  await using desk = await UploadDesk.open({ fields: { users: { list: true } } })
  await upload(desk.url, form([CSV, CSV]))
  expect(desk.store.files.size).toBe(2)
  await desk.received[0]!.discard()
  expect(desk.store.files.size).toBe(0)
  expect(desk.told.at(-1)).toEqual(['discarded', { token: 'tests', files: 2 }])
})

it('refuses what its headers show to be wrong, without reading the body', async () => {
  const type = (value: string) => ({ headers: { 'content-type': value } })
  const of = async (sending: Sending) => refused({}, form([CSV]), sending)
  expect(await of(type('application/json'))).toMatch(/^415 UPLOAD_MEDIA_TYPE: /)
  expect(await of(type('multipart/form-data'))).toBe('400 UPLOAD_MALFORMED: the Content-Type has no boundary')
  expect(await of(type(`multipart/form-data; boundary=${'x'.repeat(71)}`))).toMatch(/^400 .*RFC 2046/)
  expect(await of(type('multipart/form-data; boundary="a;b"'))).toMatch(/^400 .*RFC 2046/)
  expect(await of(type('multipart/form-data; boundary=a; boundary=b'))).toMatch(/^400 .*twice/)
  expect(await of(type('multipart/form-data; boundary="a'))).toMatch(/^400 .*cannot be read/)
  expect(await of(type(`multipart/form-data; boundary=${BOUNDARY}; charset=utf-7`))).toMatch(/^415 .*utf-7/)
  expect(await of({ headers: { 'content-encoding': 'gzip' } })).toMatch(/^415 UPLOAD_ENCODING: /)
  expect(await of({ headers: { 'x-checksum-sha256': 'abc' } })).toMatch(/^422 UPLOAD_CHECKSUM: /)
  expect(await of({ length: 3 * 1024 ** 2 })).toMatch(/^413 UPLOAD_TOO_LARGE: the request has 3145728 bytes/)
})

it('refuses a form that is not whole, or not one', async () => {
  const whole = form([CSV])
  const of = async (body: Buffer | string, sending?: Sending) => refused({}, Buffer.from(body), sending)
  expect(await of(whole.subarray(0, -8))).toMatch(/^400 UPLOAD_TRUNCATED: /)
  expect(await of(whole.subarray(0, 130))).toMatch(/^400 UPLOAD_TRUNCATED: /)
  expect(await of('')).toMatch(/^400 UPLOAD_TRUNCATED: /)
  expect(await of('no form at all')).toMatch(/^400 UPLOAD_TRUNCATED: /)
  expect(await of(form([CSV], 'another'))).toMatch(/^400 UPLOAD_TRUNCATED: /)
  expect(await of(form([{ headers: ['Content-Disposition form-data'] }]))).toMatch(/^400 UPLOAD_MALFORMED: /)
  expect(await of(form([{ headers: [`X-Long: ${'x'.repeat(20_000)}`] }]))).toMatch(/^400 UPLOAD_MALFORMED: /)
})

it('refuses a file that comes behind the end of the form, or behind an error, which no parser would ever end', async () => {
  const whole = form([CSV])
  const behind = Buffer.concat([whole, whole])
  for (const piece of [1, 65_536])
    expect(await refused({}, behind, { piece })).toBe(
      '400 UPLOAD_MALFORMED: something follows the end of the form',
    )
  expect(await refused({}, form([{ headers: ['No header'] }, CSV]))).toMatch(
    /^400 UPLOAD_MALFORMED: .*part header/,
  )
  await using desk = await UploadDesk.open()
  expect((await upload(desk.url, Buffer.concat([whole, Buffer.from('\r\n \r\n')]))).status).toBe(202)
})

it('refuses a part that a parser would leave out, and a file that it would cut at a boundary within', async () => {
  const lost = 'a part is no field and no file, or the boundary is inside of a file'
  const of = async (part: FormPart) => refused({}, form([CSV, part]))
  expect(await of({ headers: ['Content-Type: text/plain'], content: 'lost' })).toBe(
    `400 UPLOAD_MALFORMED: ${lost}`,
  )
  expect(await of({ headers: ['Content-Disposition: attachment; name=a'] })).toBe(
    `400 UPLOAD_MALFORMED: ${lost}`,
  )
  expect(await of({ headers: ['Content-Disposition: form-data; name="a'] })).toBe(
    `400 UPLOAD_MALFORMED: ${lost}`,
  )
  const within = { ...CSV, content: `id\n1\r\n--${BOUNDARY}2\r\n3\n` }
  for (const piece of [1, 65_536])
    expect(await refused({}, form([within]), { piece })).toBe(`400 UPLOAD_MALFORMED: ${lost}`)
})

it('refuses names that are none, that are inherited, or that are longer than any', async () => {
  const of = async (part: FormPart) => refused({}, form([CSV, part]))
  expect(await of({ content: 'x' })).toBe('422 UPLOAD_FIELD: a part has no name')
  expect(await of({ name: '', content: 'x' })).toBe('422 UPLOAD_FIELD: a part has no name')
  expect(await of({ fileName: 'a.csv', content: 'x' })).toBe('422 UPLOAD_FIELD: a part has no name')
  for (const name of ['__proto__', 'constructor', 'prototype', 'a[__proto__]', 'a.__proto__.b'])
    expect(await of({ name, content: 'x' })).toBe(
      `422 UPLOAD_FIELD: no field is called ${JSON.stringify(name)}`,
    )
  expect(await of({ name: '__proto__', fileName: 'a.csv' })).toMatch(/^422 .*no field is called "__proto__"/)
  expect(await of({ name: 'a[b]' })).toBe('422 UPLOAD_FIELD: a field cannot be called "a[b]"')
  expect(await of({ name: 'n'.repeat(101) })).toMatch(/^422 .*at most 100 bytes/)
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

it('refuses fields and files that the job does not take so, and what was stored before them is removed', async () => {
  const of = async (parts: FormPart[], sending?: Sending) => refused({}, form(parts), sending)
  expect(await of([CSV, { ...CSV, name: 'user' }])).toBe(
    '422 UPLOAD_FIELD: this job takes no file named user',
  )
  expect(await of([CSV, CSV])).toBe(
    '422 UPLOAD_FIELD: this job takes one file named users, and two were sent',
  )
  expect(await of([])).toBe('422 UPLOAD_FIELD: the file users is missing')
  expect(await of([{ name: 'users', content: '{}' }])).toBe(
    '422 UPLOAD_FIELD: users is a file, and was sent as text',
  )
  expect(await of([CSV, { name: 'a' }, { name: 'a' }])).toBe('422 UPLOAD_FIELD: field a was sent twice')
  expect(await of([CSV, { name: 'users', type: 'application/octet-stream', content: 'x' }])).toBe(
    '422 UPLOAD_FIELD: the file users has no file name',
  )
  expect(await of([CSV, { name: 'a', type: 'application/json', content: '{' }])).toMatch(
    /^422 .*says that it is JSON/,
  )
  expect(await of([CSV, { name: 'a', type: 'text/plain; charset=utf-99', content: 'x' }])).toMatch(
    /^422 .*charset/,
  )
  const headers = { 'x-checksum-sha256': sha256('something else') }
  expect(await of([CSV], { headers })).toMatch(
    /^422 UPLOAD_CHECKSUM: the file that came has the SHA-256 [0-9a-f]{64}/,
  )
})

it('refuses a file that is not of the types that are taken, by its bytes', async () => {
  const fields = { users: { types: ['text/csv'] }, logo: { types: ['image/*'], optional: true as const } }
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const of = async (part: FormPart) => refused({ fields }, form([CSV, part]))
  expect(await of({ ...CSV, name: 'logo' })).toMatch(
    /^415 UPLOAD_FILE_TYPE: users.csv is text\/csv, and only image/,
  )
  expect(await refused({ fields }, form([{ ...CSV, content: png }]))).toMatch(
    /^415 .*users.csv is image\/png/,
  )
})

it('refuses each thing that is more than its limit, and takes what is just at it', async () => {
  const limits = { maxFile: 20_000, maxFiles: 2, maxFields: 2, maxField: 100, maxTotal: 30_000 }
  const fields = {
    users: { list: true, optional: true } as const,
    small: { maxBytes: 10, optional: true } as const,
  }
  const of = (parts: FormPart[], sending?: Sending) => refused({ limits, fields }, form(parts), sending)
  const file = (bytes: number): FormPart => ({ ...CSV, content: Buffer.alloc(bytes, 'x') })
  const text = (name: string, bytes: number): FormPart => ({ name, content: 'x'.repeat(bytes) })
  expect(await of([file(20_001)])).toBe('413 UPLOAD_TOO_LARGE: users.csv has more than 20000 bytes')
  expect(await of([CSV, { ...file(11), name: 'small' }])).toBe(
    '413 UPLOAD_TOO_LARGE: users.csv has more than 10 bytes',
  )
  expect(await of([CSV, CSV, CSV])).toBe('413 UPLOAD_TOO_MANY: the form has more than 2 files')
  expect(await of([text('a', 1), text('b', 1), CSV, text('c', 1)])).toBe(
    '413 UPLOAD_TOO_MANY: the form has more than 2 fields',
  )
  expect(await of([CSV, text('a', 101)])).toBe('413 UPLOAD_TOO_LARGE: field a has more than 100 bytes')
  expect(await of([file(15_000), file(15_000)], { chunked: true })).toBe(
    '413 UPLOAD_TOO_LARGE: the request has more than 30000 bytes',
  )
  await using desk = await UploadDesk.open({ limits, fields })
  const most = form([text('a', 100), text('b', 100), file(20_000), { ...file(10), name: 'small' }])
  expect((await upload(desk.url, most)).status).toBe(202)
  const exact = { ...limits, maxTotal: most.length }
  await using tight = await UploadDesk.open({ limits: exact, fields })
  expect((await upload(tight.url, most, { chunked: true })).status).toBe(202)
})

it('holds no more text than a payload may have, however many fields it is in', async () => {
  const limits = { maxFields: 20, maxField: 100_000 }
  const fields = Array.from({ length: 11 }, (_, i) => ({ name: `f${i}`, content: 'x'.repeat(100_000) }))
  expect(await refused({ limits }, form([...fields, CSV]))).toMatch(
    /^413 .*the text fields have more than 1048576/,
  )
})

it('tells of a store that fails in the middle, and leaves nothing', async () => {
  await using desk = await UploadDesk.open({ fields: { users: { list: true } } })
  desk.store.faults = { failAt: 300_000 }
  const big = { ...CSV, content: Buffer.alloc(900_000, 'x') }
  const answer = await upload(desk.url, form([CSV, big]))
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'UPLOAD_STORE' })
  // What the disk said is for the log.
  expect(answer.text).not.toContain('disk')
  expect(desk.told.at(-1)).toEqual(['refused', expect.objectContaining({ detail: 'the disk is full' })])
  expect([desk.store.files.size, desk.store.open, desk.slots.active]).toEqual([0, 0, 0])
})
