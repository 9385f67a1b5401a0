/**
 * What of a setting may be shown: never a credential, wherever in the value one can be. Where that cannot be told, as
 * in a URL that is none, nothing is shown. A list of what is harmless, since one of what is secret would have gaps.
 */
import { isIP } from 'node:net'
import { isConfidential } from '../../options.ts'

const HIDDEN = '***'

/** Of ioredis' options: addresses and choices. */
const HARMLESS = new Set(
  'host port path db family name role connectTimeout commandTimeout keepAlive noDelay maxRedirections scaleReads'.split(
    ' ',
  ),
)
/** Of them: what holds such options again. */
const CONTAINERS = new Set(['cluster', 'options', 'sentinels'])
/** Of URLs. */
const PARAMETERS = new Set([
  'db',
  'family',
  'sslmode',
  'ssl',
  'schema',
  'application_name',
  'connect_timeout',
])
/** Keys of settings that are not meant to hold a credential. */
const SECRET = /pass|pwd|secret|token|credential|(api|private|access)_?key|authorization/i

/** `value` of setting `key`, as JSON; undefined where there is none. */
export function disclose(key: string, value: unknown): unknown {
  if (value === undefined) return undefined
  if (!isConfidential(key)) return scrub(value)
  if (key === 'databases') return mapValues(value as Record<string, unknown>, url => discloseText(url))
  return discloseTarget(value)
}

/** A URL, or ioredis' options. */
function discloseTarget(target: unknown): unknown {
  if (typeof target !== 'object' || target === null) return discloseText(target)
  if (Array.isArray(target)) return target.map(discloseTarget)
  return mapValues(target, (value, key) => {
    if (CONTAINERS.has(key)) return discloseTarget(value)
    // What is not set, such as a variable of the environment that is missing, is worth to be seen.
    if (typeof value === 'boolean' || value === null || value === undefined) return value
    if (!HARMLESS.has(key)) return HIDDEN
    // Where a host was meant, there may be a whole URL.
    const isPlain = typeof value !== 'string' || /^[\w./-]*$/.test(value) || isIP(value) > 0
    return isPlain ? value : discloseText(value)
  })
}

/** A URL, a path or a `sqlite:` file; nothing of anything else. */
function discloseText(text: unknown): string {
  if (typeof text !== 'string') return HIDDEN
  if (/^(\/|sqlite:)/.test(text)) {
    const [path = '', ...query] = text.split('?')
    return query.length === 0 ? path : path + discloseQuery(new URLSearchParams(query.join('?')))
  }
  const url = text.includes('://') ? URL.parse(text) : null
  if (url === null) return HIDDEN
  const { protocol, username, password, host, pathname, search, searchParams, hash } = url
  // A / or ? in a password ends the address too early: what follows, and what seems to be the host, is part of it.
  if (/@/.test(pathname + search + hash) || hash !== '') return `${protocol}//${HIDDEN}`
  const user = username === '' && password === '' ? '' : `${HIDDEN}@`
  return `${protocol}//${user}${host}${pathname}${discloseQuery(searchParams)}`
}

function discloseQuery(parameters: URLSearchParams): string {
  const shown = [...parameters].map(([name, value]) => {
    if (PARAMETERS.has(name)) return `${name}=${value}`
    return value === '' ? HIDDEN : `${name}=${HIDDEN}`
  })
  return shown.length === 0 ? '' : `?${shown.join('&')}`
}

/** Of a setting that holds no credential if it is used as it is meant to be. */
function scrub(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('://') ? discloseText(value) : value
  if (Array.isArray(value)) return value.map(scrub)
  if (typeof value !== 'object' || value === null) return value
  return mapValues(value, (inner, key) => (SECRET.test(key) ? HIDDEN : scrub(inner)))
}

function mapValues(object: object, show: (value: unknown, key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, show(value, key)]))
}
