/** `s3://bucket/prefix?endpoint=&region=&pathStyle=&partSize=&queue=`, read. Credentials are never part of it. */
import { RunnerError, messageOf } from '../errors.ts'
import { closest } from '../suggestion.ts'
import { bytes } from '../units.ts'

export interface S3Place {
  bucket: string
  /** Empty, or with a '/' at its end. */
  prefix: string
  endpoint?: string
  region?: string
  pathStyle: boolean
  /** Bytes of the first parts. */
  partSize: number
  /** Parts of one file that are on their way at once. */
  queue: number
}

/** The least that S3 takes, and the most. */
const LEAST_PART = bytes('5MiB')
const MOST_PART = bytes('1GiB')
const KNOWN = ['endpoint', 'region', 'pathStyle', 'partSize', 'queue']

/** Throws CONFIG_INVALID. */
export function readS3Place(place: string): S3Place {
  const [, bucket = '', path = '', query = ''] = /^s3:\/\/([^/?]+)\/?([^?]*)\??(.*)$/.exec(place) ?? []
  const given = new URLSearchParams(query)
  for (const key of given.keys()) {
    if (KNOWN.includes(key)) continue
    const near = closest(key, KNOWN)
    throw invalid(
      bucket,
      `unknown parameter ${key}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    )
  }
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket)) throw invalid(bucket, 'no bucket is named so')
  const folder = path.replaceAll(/^\/+|\/+$/g, '')
  if (!/^[\w!./=-]*$/.test(folder)) throw invalid(bucket, 'the prefix may have letters, digits and !._/=-')
  const [endpoint, region] = [given.get('endpoint'), given.get('region')]
  if (endpoint !== null) checkEndpoint(bucket, endpoint)
  return {
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    ...(endpoint !== null && { endpoint }),
    ...(region !== null && { region }),
    pathStyle: readSwitch(bucket, given.get('pathStyle'), endpoint !== null),
    partSize: readSize(bucket, given.get('partSize')),
    queue: readCount(bucket, given.get('queue')),
  }
}

function checkEndpoint(bucket: string, endpoint: string): void {
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(bucket, 'endpoint: expected http://host:port or https://host')
  if (url.username !== '' || url.password !== '')
    throw invalid(
      bucket,
      'endpoint: credentials do not belong there',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
}

function readSwitch(bucket: string, text: string | null, fallback: boolean): boolean {
  if (text === null) return fallback
  if (text === 'true' || text === 'false') return text === 'true'
  throw invalid(bucket, `pathStyle: expected true or false, got ${text}`)
}

function readSize(bucket: string, text: string | null): number {
  if (text === null) return LEAST_PART
  let size: number
  try {
    size = bytes(text)
  } catch (error) {
    throw invalid(bucket, `partSize: ${messageOf(error)}`)
  }
  if (size >= LEAST_PART && size <= MOST_PART) return size
  throw invalid(bucket, `partSize: expected 5MiB to 1GiB, got ${text}`)
}

function readCount(bucket: string, text: string | null): number {
  if (text === null) return 2
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 16) return Number(text)
  throw invalid(bucket, `queue: expected 1 to 16, got ${text}`)
}

function invalid(bucket: string, fault: string, hint?: string): RunnerError {
  return new RunnerError(
    'CONFIG_INVALID',
    `store s3://${bucket}: ${fault}`,
    hint === undefined ? {} : { hint },
  )
}
