/**
 * From the `redis` setting to what ioredis wants, and to a `location` that may be printed.
 * No message of this file contains any part of the value: a password may sit in every piece of a bad URL.
 */
import type { RedisOptions } from 'ioredis'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { RedisTarget } from '../options.ts'

export interface Target {
  /** Set: a Cluster, these are its first nodes. Not set: one server, a unix socket or a Sentinel group. */
  nodes?: { host: string; port: number }[]
  /** Of every connection. */
  options: RedisOptions
  /** For messages: no user name, no password. */
  location: string
}

const FORMS =
  'write redis://user:password@host:port/0, rediss://... for TLS, or unix:///path/to.sock; special characters in user name and password are percent-encoded'

/** Throws CONFIG_INVALID, which names where the value came from. */
export function readTarget(target: RedisTarget, from: Config['redisFrom']): Target {
  if (typeof target === 'string') return fromText(target.trim(), from)
  const { cluster: nodes, options: ofNodes } = target as { cluster?: Target['nodes']; options?: RedisOptions }
  if ('keyPrefix' in (ofNodes ?? target))
    throw invalid(from, 'keyPrefix cannot be used with BullMQ', 'use the `prefix` setting')
  if (nodes !== undefined) return { nodes, options: ofNodes ?? {}, location: `cluster ${addresses(nodes)}` }
  const options = target as RedisOptions
  if (options.sentinels !== undefined && options.sentinels !== null)
    return { options, location: `sentinel group ${options.name} at ${addresses(options.sentinels)}` }
  if (options.path !== undefined) return { options, location: `unix:${options.path}` }
  const scheme = options.tls === undefined ? 'redis' : 'rediss'
  return { options, location: locate(scheme, options.host ?? '127.0.0.1', options.port ?? 6379, options.db) }
}

/** BullMQ's scripts touch several keys of a queue at once; a Cluster allows that within one hash slot only. */
export function requireHashTag({ nodes }: Target, prefix: string): void {
  if (nodes === undefined || /\{[^}]+\}/.test(prefix)) return
  throw new RunnerError(
    'CONFIG_INVALID',
    `prefix ${JSON.stringify(prefix)} has no hash tag, and a Redis Cluster needs one`,
    { hint: `use --prefix '{${prefix.replaceAll(/[{}]/g, '')}}'`, details: { option: 'prefix' } },
  )
}

function fromText(text: string, from: Config['redisFrom']): Target {
  if (text.startsWith('/')) return socket(text, from)
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/is.exec(text) ?? []
  if (scheme === 'unix') return socket(rest, from)
  if (scheme !== 'redis' && scheme !== 'rediss')
    throw invalid(from, scheme === '' ? 'is not a URL' : `${scheme}:// is not a Redis URL`)
  const url = URL.parse(text)
  if (url === null || url.hash !== '') throw invalid(from, 'is not a valid URL')
  const { pathname, searchParams, port } = url
  const options: RedisOptions = {
    host: url.hostname.replaceAll(/^\[|\]$/g, '') || '127.0.0.1',
    port: port === '' ? 6379 : Number(port),
    ...database(searchParams.get('db') ?? pathname.replace(/^\//, ''), from),
    ...(scheme === 'rediss' && { tls: {} }),
  }
  searchParams.delete('db')
  const family = searchParams.get('family')
  if (family !== null) options.family = Number(family)
  searchParams.delete('family')
  // Silently dropping `?ssl=false` and the like would connect in another way than was asked for.
  if (searchParams.size > 0)
    throw invalid(
      from,
      'has a parameter other than db and family',
      'put ioredis options into the config file',
    )
  try {
    if (url.username !== '') options.username = decodeURIComponent(url.username)
    if (url.password !== '') options.password = decodeURIComponent(url.password)
  } catch {
    throw invalid(from, 'has a % in user name or password that encodes nothing', 'write % as %25')
  }
  return { options, location: locate(scheme, url.hostname || '127.0.0.1', options.port ?? 6379, options.db) }
}

function socket(text: string, from: Config['redisFrom']): Target {
  const [path = '', query = ''] = text.split('?')
  if (!path.startsWith('/')) throw invalid(from, 'does not name an absolute socket path')
  const options = { path, ...database(new URLSearchParams(query).get('db') ?? '', from) }
  return { options, location: `unix:${path}` }
}

function database(text: string, from: Config['redisFrom']): { db?: number } {
  if (text === '') return {}
  if (!/^\d{1,5}$/.test(text)) throw invalid(from, 'does not end in a database number')
  return { db: Number(text) }
}

function locate(scheme: string, host: string, port: number, db = 0): string {
  const shown = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${scheme}://${shown}:${port}${db === 0 ? '' : `/${db}`}`
}

function addresses(nodes: { host?: string; port?: number }[]): string {
  return nodes.map(({ host = '127.0.0.1', port = 26_379 }) => `${host}:${port}`).join(', ')
}

function invalid(from: Config['redisFrom'], what: string, hint = FORMS): RunnerError {
  return new RunnerError('CONFIG_INVALID', `${from}: ${what}`, {
    hint,
    details: { option: 'redis', from },
  })
}
