/** Where a process answers over HTTP, as settings write it. Without a library: a probe has to start at once. */

/** `host:port`, or `:port` for every interface; port 0 is a free one. An IPv6 address stands in brackets. */
const HTTP_ADDRESS = /^(?:\[(?<bracketed>[0-9a-f:.]+)\]|(?<host>[^:[\]\s/]*)):(?<port>\d{1,5})$/i

export interface HttpAddress {
  /** Undefined: every interface. */
  host: string | undefined
  port: number
}

/** Undefined: it is none. */
export function readHttpAddress(text: string): HttpAddress | undefined {
  const { host, bracketed, port } = HTTP_ADDRESS.exec(text)?.groups ?? {}
  if (port === undefined || Number(port) > 65_535) return undefined
  const given = bracketed ?? host
  return { host: given === '' ? undefined : given, port: Number(port) }
}

/** Whether only processes on this host reach it. A name may be anybody's, but for `localhost`. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host)
}
