/**
 * One of the usual ways of taking uploads, in a process of its own: `node bench/upload/gateway.ts <way> <place of the store> <folder>`.
 * Says `{"port"}` once it answers. It ends with its parent.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isWay, openWay } from './ways.ts'

const [name = '', place = '', folder = ''] = process.argv.slice(2)
if (!isWay(name) || name === 'ours') throw new Error(`no way is named ${name}`)
const receive = await openWay(name, { place, folder })
const server = createServer({ requestTimeout: 0 }, (request, response) => {
  receive(request, response).then(
    answer => response.end(JSON.stringify(answer)),
    (error: unknown) => {
      console.error(error)
      response.writeHead(500, { connection: 'close' }).end()
    },
  )
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
