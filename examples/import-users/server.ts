/**
 * A form for browsers, by an application that has users of its own: it knows who may upload, and it has the token. What a
 * browser sends goes through it as a stream, with back pressure, and into no memory and no file on the way.
 *
 *   RUNNER_URL=http://127.0.0.1:9090 RUNNER_TOKEN=rnr_... node server.ts 8080
 */
import { readFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

const gateway = new URL('/v1/jobs/import-users', process.env['RUNNER_URL'] ?? 'http://127.0.0.1:9090')
const token = process.env['RUNNER_TOKEN']
const form = readFileSync(new URL('form.html', import.meta.url))

const server = createServer((incoming, answer) => {
  if (incoming.method === 'POST' && incoming.url === '/users') void upload(incoming, answer)
  else answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(form)
})
// An upload takes as long as it takes: the gateway ends those that stand still.
server.requestTimeout = 0
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})

/** Here is where an application looks whose session this is, before it reads a byte. */
async function upload(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const { 'content-type': type = '', 'content-length': length, 'sec-fetch-site': site } = incoming.headers
  // A form of any other page: the browser sends it, and the token of this application would let it in.
  if (site !== undefined && site !== 'same-origin')
    return refuse(answer, 403, 'This form is of another site.')
  const outgoing = request(gateway, {
    method: 'POST',
    headers: {
      'content-type': type,
      ...(length !== undefined && { 'content-length': length }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  })
  outgoing.on('response', response => {
    const { 'content-type': kind = 'text/plain' } = response.headers
    answer.writeHead(response.statusCode ?? 502, { 'content-type': kind })
    // Half an answer is none: then the browser is hung up on.
    pipeline(response, answer).catch(() => undefined)
  })
  // It is out of reach, or went away, also after the last byte: until it answers, nobody knows whether the file is stored.
  outgoing.on('close', () => refuse(answer, 502, 'The gateway gave no answer. Upload the file again.'))
  // When the browser is gone the gateway is hung up on, and keeps nothing. When the gateway has refused, its answer comes.
  await pipeline(incoming, outgoing).catch(() => undefined)
}

function refuse(answer: ServerResponse, status: number, why: string): void {
  if (!answer.headersSent) answer.writeHead(status, { 'content-type': 'text/plain' }).end(why)
}
