/** Of `runner serve`: who may ask what, where uploads go, and how much of them. */
import { z } from 'zod'
import { duration, size } from '../units.ts'
import { option, type Option } from './option.ts'

/** Where files are: a folder, or a bucket. */
const place = z
  .string()
  .regex(/^(dir:.+|s3:\/\/[^/?]+(\/[^?]*)?(\?.*)?)$/, 'expected dir:<folder> or s3://<bucket>/<prefix>')
const storeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected small letters, digits and "-", 31 at most')

/** What a token may do. `enqueue`: add jobs and upload; `read`: look; `operate`: cancel, pause, retry. */
export const SCOPES = ['enqueue', 'read', 'operate'] as const

export const token = z.strictObject({
  /** For logs and the audit: never the token. */
  name: z.string().regex(/^[\w.-]{1,64}$/, 'expected letters, digits, ".", "_" and "-", 64 at most'),
  /** Of the token: `runner new token` makes both. */
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>'),
  scopes: z.array(z.enum(SCOPES)).min(1),
  /** Uploads at once. Default: a quarter of those of all, at least 1. */
  uploads: z.int().min(1).optional(),
  /** Bytes that may be on their way at once. Default: no limit but that of each. */
  uploadBytes: size().optional(),
})

const uploads = z
  .strictObject({
    /** Of one file. */
    maxFile: size().prefault('5GiB'),
    /** Of a whole request. */
    maxTotal: size().prefault('10GiB'),
    maxFiles: z.int().min(1).max(1_000).default(10),
    maxFields: z.int().min(0).max(10_000).default(100),
    /** Of the value of a text field. */
    maxField: size().prefault('64KiB'),
    /** Requests with files at once, of all tokens. */
    concurrent: z.int().min(1).max(10_000).default(64),
    /** Without a byte for so long, the client is gone. */
    idle: duration().prefault('30s'),
    /** Bytes a second, over `idle`, that a client sends at least while it is not the store that is slow. */
    minRate: size().prefault('1KiB'),
    /** A file that no job refers to is removed when it is so old: the time that an upload may take before its job is there. */
    orphanAge: duration().prefault('1d'),
  })
  .prefault({})

export const GATEWAY_OPTIONS = {
  store: option(
    'global',
    '--store <place>',
    'RUNNER_STORE',
    place,
    'dir:.runner/uploads',
    'where files of jobs are: dir:<folder>, or s3://<bucket>/<prefix>',
  ),
  stores: option(
    'global',
    undefined,
    [],
    z.record(storeName, place),
    {},
    'more places, by name, that files of earlier jobs are still read from; the setting store is named uploads',
  ),
  tokens: option(
    'global',
    undefined,
    [],
    z.array(token),
    [],
    'who may use runner serve: [{ name, hash, scopes: [enqueue, read, operate] }]; runner new token makes one',
  ),
  uploads: option('global', undefined, [], uploads, {}, 'limits of uploads'),
} as const satisfies Record<string, Option>
