/** Every setting in one place: schema, default with unit, environment variables, flag. By scope in options/. */
import type { z } from 'zod'
import { GATEWAY_OPTIONS } from './options/gateway-options.ts'
import { GLOBAL_OPTIONS } from './options/global-options.ts'
import { HTTP_OPTIONS } from './options/http-options.ts'
import { KUBERNETES_OPTIONS } from './options/kubernetes-options.ts'
import type { Option } from './options/option.ts'
import { REPLICA_OPTIONS } from './options/replica-options.ts'
import { SCALE_OPTIONS } from './options/scale-options.ts'
import type { redisTarget } from './setting-schemas.ts'

export type { Option } from './options/option.ts'
export { DEFAULT_LOCK_DURATION } from './options/replica-options.ts'

export type RedisTarget = z.infer<typeof redisTarget>

export const OPTIONS = {
  ...GLOBAL_OPTIONS,
  ...REPLICA_OPTIONS,
  ...HTTP_OPTIONS,
  ...SCALE_OPTIONS,
  ...KUBERNETES_OPTIONS,
  ...GATEWAY_OPTIONS,
} as const satisfies Record<string, Option>

export type OptionKey = keyof typeof OPTIONS

/** Whether its value may hold a credential: no message shows such a value, and `runner config` only parts of it. */
export const isConfidential = (key: string): boolean =>
  /^(redis|databases?)$|pass|secret|token|credential/i.test(key)

/** Every setting as the runtime uses it: durations in milliseconds, sizes in bytes. */
export type Settings = {
  [K in OptionKey]: z.output<(typeof OPTIONS)[K]['schema']> | (K extends 'redis' ? undefined : never)
}
