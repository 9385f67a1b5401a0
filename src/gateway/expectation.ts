/**
 * `Expect: 100-continue`: a client waits for leave before it sends a body. Node gives it to everybody; here it is given when
 * somebody begins to read. Who is refused by its headers has not sent anything then.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request)
  request._read = size => {
    request._read = read
    if (!response.headersSent) response.writeContinue()
    read(size)
  }
}
