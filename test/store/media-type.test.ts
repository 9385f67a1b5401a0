import { describe, expect, it } from 'vitest'
import { mediaType, plain } from '../../src/store/media-type.ts'
import { readS3Place } from '../../src/store/s3-place.ts'
import { openStores } from '../../src/store/stores.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const ZIP = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(100)])
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const SVG = Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')
const TEXT = Buffer.from('a,b\n1,2\n')

describe('the type of a file', () => {
  it.each([
    ['its bytes tell it', PNG, 'a.txt', 'text/plain', 'image/png'],
    ['declared text', TEXT, 'x', 'text/csv; charset=utf-8', 'text/csv'],
    ['vague, by name', TEXT, 'users.CSV', 'application/octet-stream', 'text/csv'],
    ['as Windows declares CSV', TEXT, 'users.csv', 'application/vnd.ms-excel', 'text/csv'],
    ['not declared, by name', TEXT, 'a.json', undefined, 'application/json'],
    ['nothing says it', TEXT, 'users', undefined, 'application/octet-stream'],
    ['in a container', ZIP, 'a.xlsx', XLSX, XLSX],
    ['a container that is not that', ZIP, 'a.csv', 'text/csv', 'application/zip'],
    ['XML', SVG, 'a.svg', 'image/svg+xml', 'image/svg+xml'],
    ['no media type at all', TEXT, 'a.csv', 'x\r\nset-cookie: a', 'text/csv'],
    ['of a kind without signs', Buffer.from([0, 1, 2]), 'a.bin', 'application/x-ours', 'application/x-ours'],
    ['empty', Buffer.alloc(0), 'a.csv', undefined, 'text/csv'],
  ])('%s', async (_what, head, fileName, declared, type) => {
    expect(await mediaType(head, { fileName, declared })).toBe(type)
  })

  it.each([
    [TEXT, 'image/png', 'declared as image/png, and its bytes are text'],
    [Buffer.from([0, 1, 2]), 'application/pdf', 'declared as application/pdf, and its bytes are not'],
    [Buffer.from([0, 1, 2]), 'text/csv', 'declared as text/csv, and its bytes are not'],
  ])('a claim that is not true is refused', async (head, declared, said) => {
    await expect(mediaType(head, { fileName: 'a', declared })).rejects.toMatchObject({
      code: 'FILE_REFUSED',
      message: expect.stringContaining(said),
      details: { reason: 'type' },
    })
  })

  it('is one of those that are taken, and the way to say it is told', async () => {
    await expect(mediaType(PNG, { fileName: 'a', types: ['image/*'] })).resolves.toBe('image/png')
    await expect(mediaType(PNG, { fileName: 'a', types: ['image/jpeg'] })).rejects.toThrow(
      'a is image/png, and only image/jpeg is taken',
    )
    await expect(mediaType(TEXT, { fileName: 'users', types: ['text/csv'] })).rejects.toMatchObject({
      hint: expect.stringContaining(`curl -F 'file=@users;type=text/csv'`),
    })
  })
})

it('shows of a name what a person may see of it', () => {
  expect(plain('../../etc/pass\u0000wd')).toBe('passwd')
  expect(plain('C:\\Users\\ada\\users.csv')).toBe('users.csv')
  expect(plain('exe\u202egpj.txt\u001b[31m')).toBe('exegpj.txt[31m')
  expect(plain('a/')).toBe('unnamed')
  expect(Buffer.byteLength(plain('ä'.repeat(300)))).toBeLessThanOrEqual(255)
  expect(plain('😀'.repeat(100)).isWellFormed()).toBe(true)
})

describe('the place of a store', () => {
  it('is read with its defaults', () => {
    expect(readS3Place('s3://files')).toEqual({
      bucket: 'files',
      prefix: '',
      pathStyle: false,
      partSize: 5 * 1024 ** 2,
      queue: 2,
    })
    expect(
      readS3Place('s3://files/a/b/?endpoint=http://127.0.0.1:9000&region=eu-1&partSize=8MiB&queue=1'),
    ).toEqual({
      bucket: 'files',
      prefix: 'a/b/',
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu-1',
      pathStyle: true,
      partSize: 8 * 1024 ** 2,
      queue: 1,
    })
  })

  it.each([
    ['s3://files?endpont=http://a', 'unknown parameter endpont', 'did you mean endpoint?'],
    ['s3://files?endpoint=minio:9000', 'endpoint: expected http://host:port', undefined],
    ['s3://files?endpoint=http://key:secret@a', 'credentials do not belong there', expect.any(String)],
    ['s3://files?pathStyle=yes', 'pathStyle: expected true or false, got yes', undefined],
    ['s3://files?partSize=1MiB', 'partSize: expected 5MiB to 1GiB, got 1MiB', undefined],
    ['s3://files?queue=0', 'queue: expected 1 to 16, got 0', undefined],
    ['s3://a', 'no bucket is named so', undefined],
  ])('%s is refused when it is opened', (place, said, hint) => {
    let thrown: { code?: string; message?: string; hint?: string } = {}
    try {
      openStores({ cwd: '/', store: place, stores: {} })
    } catch (error) {
      thrown = error as typeof thrown
    }
    expect(thrown).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(said) })
    expect(thrown.message).not.toContain('secret')
    expect(thrown.hint).toEqual(hint)
  })

  it('has a name of its own, and a reference names one of them', () => {
    expect(() => openStores({ cwd: '/', store: 'dir:a', stores: { uploads: 'dir:b' } })).toThrow(
      'the name uploads is that of the setting store',
    )
    const stores = openStores({ cwd: '/data', store: 'dir:a', stores: { old: 'dir:/b' } })
    expect([stores.uploads.store.where, stores.named('old').store.where]).toEqual(['dir:/data/a', 'dir:/b'])
    expect(() => stores.named('odl')).toThrow('no store is named odl')
    for (const text of ['../../etc/passwd', 'uploads/../x', '', undefined])
      expect(() => stores.of({ $file: text as string })).toThrow('names no stored file')
  })
})
