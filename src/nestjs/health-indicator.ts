/** `RunnerHealthIndicator`: whether Redis answers and replicas work the queues, in the shape of @nestjs/terminus. */
import { Inject, Injectable } from '@nestjs/common'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { Replicas } from '../redis/replicas.ts'
import { formatMilliseconds, milliseconds, type Duration } from '../units.ts'
import { RunnerConnection } from './connection.ts'

export interface RunnerHealthOptions {
  /** Queues that a live replica must take jobs of. Default: none, only Redis must answer. */
  queues?: readonly string[]
  /** Default 1 s. */
  timeout?: Duration
}

export interface RunnerHealth {
  status: 'up' | 'down'
  /** Name and version of the server. */
  redis?: string
  /** Live replicas that take jobs, by queue. */
  replicas?: Record<string, number>
  /** Why it is down. */
  message?: string
}

export class RunnerHealthIndicator {
  readonly #connection: RunnerConnection
  #replicas: Replicas | undefined

  constructor(connection: RunnerConnection) {
    this.#connection = connection
  }

  /**
   * Never rejects, and never takes longer than `timeout`. @nestjs/terminus counts 'down' as an error from its version 11 on.
   *
   * @example
   * health.check([() => runner.isHealthy('runner', { queues: ['mail'] })])
   */
  async isHealthy<Key extends string>(
    key: Key,
    { queues = [], timeout = '1s' }: RunnerHealthOptions = {},
  ): Promise<Record<Key, RunnerHealth>> {
    const ms = milliseconds(timeout)
    const over = new AbortController()
    const late = sleep(ms, undefined, { signal: over.signal, ref: false }).then(
      (): RunnerHealth => ({
        status: 'down',
        message: `Redis did not answer within ${formatMilliseconds(ms)}`,
      }),
      () => new Promise<never>(() => {}),
    )
    const look = this.#look(queues).catch((error: unknown): RunnerHealth => ({
      status: 'down',
      message: messageOf(error),
    }))
    const health = await Promise.race([look, late])
    over.abort()
    return { [key]: health } as Record<Key, RunnerHealth>
  }

  async #look(queues: readonly string[]): Promise<RunnerHealth> {
    const { redis } = await this.#connection.open()
    this.#replicas ??= new Replicas(redis.connect('health'), redis.prefix)
    const live = (await this.#replicas.list()).filter(({ quiet }) => !quiet)
    const replicas = Object.fromEntries(
      queues.map(queue => [queue, live.filter(replica => queue in replica.queues).length]),
    )
    const unworked = queues.filter(queue => replicas[queue] === 0)
    const found = { redis: redis.version, replicas }
    if (unworked.length === 0) return { status: 'up', ...found }
    return { status: 'down', ...found, message: `no live replica takes jobs of ${unworked.join(', ')}` }
  }
}

Injectable()(RunnerHealthIndicator)
Inject(RunnerConnection)(RunnerHealthIndicator, undefined, 0)
