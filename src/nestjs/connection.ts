/** The Redis of an application: the one of its runner's settings, opened when it is first asked for. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common'
import type { z } from 'zod'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { OPTIONS } from '../options.ts'
import type { RedisHandle } from '../redis/connection.ts'

/** What is left out is as for every command: environment, then profile and config file, then default. */
export interface RunnerModuleOptions {
  /** URL, or options of ioredis, as `redis` in the config file. */
  redis?: z.input<typeof OPTIONS.redis.schema>
  /** Of the keys. BullMQ and the fleet must have the same. */
  prefix?: string
  /** Config file. Default: runner.config.ts, .mts, .js or .mjs in `cwd`. */
  config?: string
  /** Profile of the config file. Default: RUNNER_PROFILE. */
  profile?: string
  /** Folder of the project. Default: that of the process. */
  cwd?: string
}

export const RUNNER_OPTIONS = Symbol('bullmq-runner options')

export interface Opened {
  redis: RedisHandle
  config: Config
}

export class RunnerConnection implements OnApplicationShutdown {
  readonly #options: RunnerModuleOptions
  #opening: Promise<Opened> | undefined
  #closed = false

  constructor(options: RunnerModuleOptions) {
    this.#options = options
  }

  /** One that failed is tried again at the next call. Throws CONFIG_INVALID, and what Redis is refused for. */
  open(): Promise<Opened> {
    if (this.#closed) return Promise.reject(new Error('the application has shut down'))
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** The last hook: until the server of the application is closed, a request may still want to add a job. */
  async onApplicationShutdown(): Promise<void> {
    this.#closed = true
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.redis.close()
  }

  async #open(): Promise<Opened> {
    // Not before: an executor imports the module with its handlers, most of which add nothing by themselves.
    const { resolveConfig } = await import('../config.ts')
    const { OPTIONS } = await import('../options.ts')
    const { openRedis } = await import('../redis/connection.ts')
    const { cwd = process.cwd(), config: file, profile } = this.#options
    const found = await resolveConfig({
      cwd,
      env: process.env,
      flags: {},
      ...(file !== undefined && { file }),
      ...(profile !== undefined && { profile }),
    })
    const config = { ...found, ...given(this.#options, OPTIONS) }
    return { config, redis: await openRedis(config) }
  }
}

/** What the module itself was given, which wins. */
function given({ redis, prefix }: RunnerModuleOptions, options: typeof OPTIONS): Partial<Config> {
  const read = (key: 'redis' | 'prefix', value: unknown): unknown => {
    const parsed = options[key].schema.safeParse(value)
    if (parsed.success) return parsed.data
    const reason = parsed.error.issues.map(({ message }) => message).join('; ')
    throw new RunnerError('CONFIG_INVALID', `${key} of RunnerModule: ${reason}`)
  }
  return {
    ...(redis !== undefined && { redis: read('redis', redis), redisFrom: 'redis of RunnerModule' }),
    ...(prefix !== undefined && { prefix: read('prefix', prefix) }),
  } as Partial<Config>
}

Injectable()(RunnerConnection)
Inject(RUNNER_OPTIONS)(RunnerConnection, undefined, 0)
