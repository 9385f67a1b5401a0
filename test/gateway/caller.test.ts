/** Who asks: by a token, or as a program on this host where there are none. */
import { expect, it } from 'vitest'
import { localCaller } from '../../src/gateway/caller.ts'
import { newToken, Tokens } from '../../src/gateway/tokens.ts'
import { UploadSlots } from '../../src/gateway/upload/slots.ts'

it('knows a token by its hash, and none that is nearly one', () => {
  const [shop, admin] = [newToken(), newToken()]
  const tokens = new Tokens([
    { name: 'shop', hash: shop.hash, scopes: ['enqueue'], uploads: 2, uploadBytes: 1_000 },
    { name: 'admin', hash: admin.hash, scopes: ['operate'] },
  ])
  expect(tokens.find(shop.token)).toEqual({
    name: 'shop',
    scopes: new Set(['enqueue']),
    uploads: 2,
    uploadBytes: 1_000,
  })
  expect(tokens.find(admin.token)?.name).toBe('admin')
  for (const wrong of ['', shop.hash, shop.token.slice(0, -1), `${shop.token} `, newToken().token])
    expect(tokens.find(wrong)).toBeUndefined()
})

it('leaves all places for uploads to programs on this host: there is nobody else', () => {
  const slots = new UploadSlots({ concurrent: 8 })
  const local = localCaller({ headers: new Headers({ host: 'localhost' }), url: 'http://localhost/' })
  for (let n = 0; n < 8; n++) slots.take(local, undefined)
  expect(slots.active).toBe(8)
  expect(() => slots.take(local, undefined)).toThrow('8 uploads are received already')
})

const ask = (headers: Record<string, string>) => {
  try {
    return localCaller({ headers: new Headers(headers), url: 'http://127.0.0.1:9090/' }).name
  } catch (error) {
    return (error as { code: string }).code
  }
}

it.each([
  [{ host: '127.0.0.1:9090' }],
  [{ host: 'localhost:9090' }],
  [{ host: '[::1]:9090' }],
  [{ host: 'localhost:9090', origin: 'http://localhost:9090', 'sec-fetch-site': 'same-origin' }],
  [{ host: 'localhost', 'sec-fetch-site': 'none' }],
])('takes a program on this host, and a page of its own: %j', headers => {
  expect(ask(headers)).toBe('local')
})

it.each([
  // A page of anybody, open in a browser on this host.
  [{ host: 'localhost:9090', origin: 'https://evil.example' }],
  [{ host: 'localhost:9090', origin: 'null' }],
  [{ host: 'localhost:9090', origin: 'http://localhost:3000' }],
  [{ host: 'localhost:9090', 'sec-fetch-site': 'cross-site' }],
  [{ host: 'localhost:9090', 'sec-fetch-site': 'same-site' }],
  // A name of anybody that leads here.
  [{ host: 'rebound.evil.example:9090' }],
  [{ host: '127.0.0.1.evil.example', origin: 'http://127.0.0.1.evil.example' }],
  [{ host: '' }],
])('refuses %j', headers => {
  expect(ask(headers)).toBe('ORIGIN_REFUSED')
})
