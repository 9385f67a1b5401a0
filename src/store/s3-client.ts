/** The SDK of S3, loaded when it is first needed, and set so that it gets on with every server that speaks S3. */
import type * as Sdk from '@aws-sdk/client-s3'
import { RunnerError, messageOf } from '../errors.ts'
import type { S3Place } from './s3-place.ts'

/** Tries of each call, with waits of up to 0.1, 0.2, 0.4 ... s between them: an outage of some seconds. Nothing above tries again. */
const ATTEMPTS = 8
/** Milliseconds without a byte: completing a large upload takes long, but it says something meanwhile. */
const SILENCE = 120_000
const CONNECT_WITHIN = 10_000
/** More than 64 uploads with two parts each, and readers. */
const SOCKETS = 256

export interface S3 {
  sdk: typeof Sdk
  client: Sdk.S3Client
}

/** Throws CONFIG_INVALID when the package is not there. */
export async function openS3Client({ endpoint, region, pathStyle }: S3Place): Promise<S3> {
  const sdk = await loadSdk()
  const agent = { keepAlive: true, maxSockets: SOCKETS }
  const client = new sdk.S3Client({
    ...(endpoint !== undefined && { endpoint }),
    // Of AWS itself, the environment says which; other servers have one, and take any name for it.
    ...(region !== undefined ? { region } : endpoint !== undefined && { region: 'us-east-1' }),
    forcePathStyle: pathStyle,
    maxAttempts: ATTEMPTS,
    // Checksums that are not asked for make bodies that several servers refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN,
      socketTimeout: SILENCE,
      httpAgent: agent,
      httpsAgent: agent,
    },
  })
  return { sdk, client }
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new RunnerError('CONFIG_INVALID', 'a store of s3:// needs the package @aws-sdk/client-s3', {
      hint: 'npm install @aws-sdk/client-s3',
      cause: error,
    })
  }
}

/** HTTP status of what S3 answered; undefined: it did not. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

const HINTS: Record<string, string> = {
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a role',
  AccessDenied: 'docs/stores.md lists the rights that a store needs',
  InvalidAccessKeyId: 'AWS_ACCESS_KEY_ID is not known there',
  SignatureDoesNotMatch: 'AWS_SECRET_ACCESS_KEY is wrong',
  NoSuchBucket: 'make the bucket: runner never does',
  ECONNREFUSED: 'nothing listens at its endpoint',
  ENOTFOUND: 'its host is not known: check endpoint and region',
}

/** STORE_FAILED, in the words of S3. */
export function storeFailed(what: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error
  const { name, code } = error as { name?: string; code?: string }
  const hint = HINTS[name ?? ''] ?? HINTS[code ?? '']
  const said = messageOf(error) || code || name || 'no reason was given'
  const status = statusOf(error)
  const answer = status === undefined ? said : `${status} ${name ?? ''}: ${said}`
  return new RunnerError('STORE_FAILED', `cannot ${what}: ${answer}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}
