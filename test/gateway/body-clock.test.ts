/** How long a client may take to send a body, where nobody else watches it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { startBodyClock, unhurried } from '../../src/gateway/body-clock.ts'
import { Upload } from '../helpers/multipart.ts'

it('ends a body that does not come to its end with 408, unless somebody takes care of it', async () => {
  const served: string[] = []
  await using server = createServer((request, response) => {
    startBodyClock(request, response, 100)
    served.push(request.url ?? '')
    if (request.url === '/upload') unhurried(request)
    request.on('end', () => response.end('whole')).resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const body = Buffer.alloc(10)
  await using watched = await Upload.begin(url, body, { path: '/upload' })
  await using slow = await Upload.begin(url, body, { path: '/json' })
  slow.socket.write(body.subarray(1))
  expect((await slow.answer).status).toBe(408)
  // Its body comes later than that of the other was waited for.
  watched.socket.write(body)
  expect((await watched.answer).status).toBe(200)
  expect(served.toSorted()).toEqual(['/json', '/upload'])
})
