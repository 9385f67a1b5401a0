/**
 * bull-board, for queues and their jobs. Its actions are BullMQ's, which know nothing of what this package promises: so
 * there is a board that changes nothing, and one for who may operate, on which one job or the gate of one queue can be
 * moved. What goes by the thousand, writes payloads or touches schedules is refused there, with the verb that does it.
 */
import { createBullBoard } from '@bull-board/api'
import type { BeforeHook } from '@bull-board/api/typings/app'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import type { Inspector } from '../../inspector/inspector.ts'
import { Redaction } from '../../job/redaction.ts'
import { queueNames } from '../../redis/queue-names.ts'
import { RecentNames } from '../../redis/recent-names.ts'
import { BoardQueue } from './board-queue.ts'

/** Where it is. */
const BOARD_PATH = '/queues'

/** Of its routes that change something, those that are let through. */
const ALLOWED = new Set([
  '/api/queues/:queueName/pause',
  '/api/queues/:queueName/resume',
  '/api/queues/:queueName/concurrency',
  '/api/queues/:queueName/rate-limit',
  '/api/queues/:queueName/rate-limit/release',
  '/api/queues/:queueName/:jobId/retry',
  '/api/queues/:queueName/:jobId/clean',
  '/api/queues/:queueName/:jobId/promote',
])

/** Fonts of another host: the policy of this page would refuse them, with a complaint for each load. */
const FOREIGN_FONTS = /<link [^>]*https:[^>]*>/g

/** What does it instead, by how the rest of a route begins. */
const INSTEAD: readonly [RegExp, string][] = [
  [/\/add$|update-data$/, 'runner enqueue checks the payload first'],
  [/job-schedulers/, 'schedules are code: runner schedules apply'],
  [/\/retry\//, 'runner jobs retry --state failed --dry-run'],
  [/\/clean\/|\/empty$|\/obliterate$/, 'runner queues drain, runner queues clean --dry-run'],
  [/\/promote$/, 'runner jobs promote --state delayed --dry-run'],
  [/^\/api\/queues\/(pause|resume)$/, 'runner queues pause <queue...>'],
]

export class Board {
  readonly #inspector: Inspector
  readonly #redaction: Redaction
  readonly #reading: Side
  readonly #operating: Side
  readonly #names: RecentNames
  #shown: readonly string[] | undefined

  constructor(inspector: Inspector, redact: readonly string[]) {
    this.#inspector = inspector
    this.#redaction = new Redaction(redact)
    this.#names = new RecentNames(() => queueNames(inspector.client, inspector.prefix))
    this.#reading = sideOf(this.#redaction)
    this.#operating = sideOf(this.#redaction)
  }

  async fetch(request: Request, env: object, mayOperate: boolean): Promise<Response> {
    this.#show(await this.#names.list())
    const response = await (mayOperate ? this.#operating : this.#reading).app.fetch(request, env)
    const isPage = response.headers.get('content-type')?.startsWith('text/html') === true
    return isPage ? new Response((await response.text()).replaceAll(FOREIGN_FONTS, ''), response) : response
  }

  #show(names: readonly string[]): void {
    if (names === this.#shown) return
    this.#shown = names
    const of = (readOnlyMode: boolean) =>
      names.map(name => new BoardQueue(this.#inspector, name, this.#redaction, readOnlyMode))
    this.#reading.replaceQueues(of(true))
    this.#operating.replaceQueues(of(false))
  }
}

interface Side {
  app: Hono
  replaceQueues: (queues: readonly BoardQueue[]) => void
}

function sideOf(redaction: Redaction): Side {
  const adapter = new HonoAdapter(serveStatic).setBasePath(BOARD_PATH)
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      handlerHooks: {
        before: refuse,
        // What a flow shows of its jobs goes through no formatter.
        after: ({ route }, result) =>
          route.endsWith('/flow') ? { ...result, body: withoutProgress(result.body, redaction) } : result,
      },
      uiConfig: {
        boardTitle: 'Queues and jobs',
        miscLinks: [{ text: 'Fleet', url: '/' }],
        hideDocsLink: true,
        // runner doctor says more, and asks for no right that a reader lacks.
        hideRedisDetails: true,
        // Else each viewer has all connections of the server listed, for each queue, every few seconds.
        showWorkers: false,
        sortQueues: true,
      },
    },
  })
  return { app: new Hono().route(BOARD_PATH, adapter.registerPlugin()), replaceQueues }
}

const refuse: BeforeHook = ({ method, route }) => {
  if (method === 'get' || ALLOWED.has(route)) return { allow: true }
  const [, verb] = INSTEAD.find(([pattern]) => pattern.test(route)) ?? []
  const instead = verb === undefined ? '' : `: ${verb}`
  return { allow: false, status: 403, message: `not from here${instead}` }
}

function withoutProgress<Body>(body: Body, redaction: Redaction): Body {
  if (redaction.hidesNothing || typeof body !== 'object' || body === null) return body
  const flow = JSON.parse(JSON.stringify(body), (key, value: unknown) =>
    key === 'progress' ? redaction.apply(value) : value,
  ) as Body
  return flow
}
