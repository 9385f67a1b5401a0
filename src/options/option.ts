/** What an option is, and the shapes that their values have. */
import { z } from 'zod'
import { duration, formatMilliseconds, milliseconds } from '../units.ts'

/** Which verbs have its flag: all, `work`, those that answer over HTTP, or those that say how many replicas are needed. */
export type Scope = 'global' | 'work' | 'http' | 'scale'

export interface Option {
  schema: z.ZodType
  default: unknown
  /** Read in this order; the first that is set counts. */
  env: string[]
  /** Absent: it has none. */
  flag: string | undefined
  about: string
  scope: Scope
}

export const option = <S extends z.ZodType>(
  scope: Scope,
  flag: string | undefined,
  env: string | string[],
  schema: S,
  fallback: z.input<S> | undefined,
  about: string,
) => ({ schema, default: fallback, env: [env].flat(), flag, about, scope })

export const list = z.union([
  z.array(z.string()),
  z.string().transform(text => text.split(',').map(part => part.trim())),
])
/** Of what is no number at all, zod says that it received NaN. */
const error = ({ code }: { code: string }) =>
  code === 'invalid_type' ? 'expected a whole number' : undefined
export const count = z.coerce.number({ error }).int({ error })

export const flag = z.union([z.boolean(), z.stringbool()])

/** As long as Node's and BullMQ's timers count: what is longer would be due at once. */
const LONGEST = milliseconds('24d')
/** `least`: what is shorter keeps Redis busy, or runs out while a job is still being handed over. */
export const timer = (least: string) =>
  duration().superRefine((ms, ctx) => {
    const shown = formatMilliseconds(ms)
    if (ms < milliseconds(least)) ctx.addIssue(`expected at least ${least}, got ${shown}`)
    else if (ms > LONGEST) ctx.addIssue(`expected at most ${formatMilliseconds(LONGEST)}, got ${shown}`)
  })

/** A word, or what the schema takes. A union of zod would say no more than "Invalid input". */
export const wordOr = <W extends 'auto' | 'false'>(word: W, schema: z.ZodType<number, string | number>) =>
  z.union([z.literal(false), z.string(), z.number()]).transform((value, ctx): W | number => {
    if (String(value) === word) return word
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    for (const { message } of parsed.error.issues) ctx.addIssue(`${message}, or ${word}`)
    return z.NEVER
  })
