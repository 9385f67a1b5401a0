/** Queues and jobs as they lie in Redis, for an operator: found, listed, and changed one by one or by the million. */
import { Queue } from 'bullmq'
import { RunnerError } from '../errors.ts'
import type { Client } from '../redis/client.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { queueNames } from '../redis/queue-names.ts'
import { didYouMean } from '../suggestion.ts'

export class Inspector implements AsyncDisposable {
  readonly client: Client
  readonly prefix: string
  readonly #queues = new Map<string, Queue>()
  #names: Promise<string[]> | undefined

  constructor(redis: Pick<RedisHandle, 'connect' | 'prefix'>) {
    this.client = redis.connect('inspector')
    this.prefix = redis.prefix
  }

  /** Of all queues under the prefix, whoever made them. Looked up once. */
  names(): Promise<string[]> {
    return (this.#names ??= queueNames(this.client, this.prefix))
  }

  /** These queues, each of which has to be there; all, when none is given. Throws QUEUE_UNKNOWN. */
  async choose(given: readonly string[]): Promise<string[]> {
    return given.length === 0 ? this.names() : this.given(given)
  }

  /** These queues, if each of them is there. Throws QUEUE_UNKNOWN. */
  async given(given: readonly string[]): Promise<string[]> {
    const there = await Promise.all(given.map(queue => this.client.exists(`${this.baseOf(queue)}meta`)))
    const unknown = given.find((_, i) => there[i] === 0)
    if (unknown !== undefined)
      throw new RunnerError('QUEUE_UNKNOWN', `there is no queue ${unknown} under the prefix ${this.prefix}`, {
        hint: 'runner queues list shows those that there are',
        ...didYouMean(unknown, await this.names()),
      })
    return [...given]
  }

  /** What its keys begin with: `bull:mail:`. */
  readonly baseOf = (queue: string): string => `${this.prefix}:${queue}:`

  /** BullMQ's own, on the connection of this one. */
  queue(name: string): Queue {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new Queue(name, { connection: this.client, prefix: this.prefix, skipMetasUpdate: true })
      queue.on('error', () => undefined)
      this.#queues.set(name, queue)
    }
    return queue
  }

  /**
   * The queue that has the job. Throws JOB_NOT_FOUND, and USAGE when more than one has one of this id: BullMQ numbers
   * the jobs of each queue from 1.
   */
  async queueOf(id: string, given: readonly string[]): Promise<string> {
    const queues = await this.choose(given)
    const there = await Promise.all(queues.map(queue => this.#hasJob(this.baseOf(queue) + id)))
    const found = queues.filter((_, i) => there[i])
    const [queue] = found
    if (queue === undefined) {
      const where = given.length === 0 ? 'no queue has' : `queue ${given.join(', ')} does not have`
      throw new RunnerError('JOB_NOT_FOUND', `${where} a job ${id}`, {
        hint: 'it may have been removed when it was done: removeOnComplete, removeOnFail',
      })
    }
    if (found.length > 1)
      throw new RunnerError('USAGE', `a job ${id} is in queues ${found.join(', ')}`, {
        hint: 'say which one by --queue',
      })
    return queue
  }

  /** Lists and sets of the queue lie beside its jobs, under names such as 'failed'. */
  async #hasJob(key: string): Promise<boolean> {
    return (await this.client.type(key)) === 'hash' && (await this.client.hexists(key, 'timestamp')) === 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#queues.values()].map(queue => queue.close()))
  }
}
