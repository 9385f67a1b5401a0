/** The shapes of settings that only the config file can give in full. */
import { z } from 'zod'
import { readHttpAddress } from './http-address.ts'
import { duration } from './units.ts'

const address = z.strictObject({ host: z.string(), port: z.int().min(1).max(65535) })

/** A URL, or from the config file: ioredis options, a Sentinel group, or a Cluster. */
export const redisTarget = z.union([
  z.string(),
  z.strictObject({
    cluster: z.array(address).min(1),
    /** ioredis options of every node: username, password, tls ... */
    options: z.record(z.string(), z.unknown()).optional(),
  }),
  z.looseObject({ sentinels: z.array(address).min(1), name: z.string() }),
  z.looseObject({ host: z.string(), port: z.int().optional() }),
  z.looseObject({ path: z.string() }),
])

/** What a pattern or a key may be is looked at where schedules are used. */
export const schedule = z.strictObject({
  job: z.string().min(1),
  cron: z.string().optional(),
  every: duration().optional(),
  timezone: z.string().optional(),
  args: z.unknown().optional(),
  /** Default: that of the job. */
  queue: z
    .string()
    .min(1)
    .regex(/^[^:]+$/, 'a queue name has no ":"')
    .optional(),
})

export const httpAddress = z.string().superRefine((text, ctx) => {
  if (readHttpAddress(text) === undefined)
    ctx.addIssue(`expected an address such as :9090 or 127.0.0.1:9090, got ${text}`)
})
