/** What a test of containers works with: a Redis and a network for it, the scripted jobs, and replicas of the image. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { GenericContainer, Network, Wait } from 'testcontainers'
import { describe, inject } from 'vitest'
import { Container, type ContainerOptions } from './container.ts'
import { bench, type Bench } from './fleet.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url))
// In a checkout that shares it, it is a link.
const PACKAGES = realpathSync(fileURLToPath(new URL('../../node_modules', import.meta.url)))

/** The scripted jobs where a user has theirs, and what they import. */
export const SCRIPTED = {
  [join(FIXTURES, 'jobs-fleet')]: '/app/jobs',
  [join(FIXTURES, 'actions.ts')]: '/app/actions.ts',
  [join(FIXTURES, 'oracle-record.ts')]: '/app/oracle-record.ts',
  [PACKAGES]: '/app/node_modules',
}

const REDIS_PORT = 6379
/** A container whose test was killed ends by itself. */
const LEASH = ['--max-time', '4m']

export interface ContainerBench extends AsyncDisposable {
  network: string
  /** As containers reach it. */
  url: string
  client: Redis
  /** Empties Redis; the queue `fleet` on it. */
  queue(): Promise<Bench>
  run(options: Partial<ContainerOptions> & { command: string[] }): Promise<Container>
  /** `runner work`, with the scripted jobs and short locks; resolves once it takes jobs. */
  replica(args?: string[], options?: Partial<ContainerOptions>): Promise<Container>
}

export async function containerBench(): Promise<ContainerBench> {
  const stack = new AsyncDisposableStack()
  const network = stack.use(await new Network().start())
  const server = stack.use(
    await new GenericContainer('redis:7')
      .withNetwork(network)
      .withNetworkAliases('redis')
      .withExposedPorts(REDIS_PORT)
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
      .start(),
  )
  const url = 'redis://redis'
  const client = () =>
    new Redis({ host: server.getHost(), port: server.getMappedPort(REDIS_PORT), maxRetriesPerRequest: null })
  const own = client()
  stack.defer(() => own.disconnect())
  const run: ContainerBench['run'] = async ({ env, ...options }) =>
    // Also those of a test that ran out of time, whose own end comes too late.
    stack.use(
      await Container.start({
        image: inject('image'),
        network: network.getName(),
        mounts: SCRIPTED,
        env: { REDIS_URL: url, ORACLE_URL: url, ...env },
        ...options,
      }),
    )
  return {
    network: network.getName(),
    url,
    client: own,
    queue: () => bench({ client }),
    run,
    async replica(args = [], options = {}) {
      const locks = ['--lock-duration', '2s', '--stalled-interval', '500ms']
      const command = ['work', '--log-level', 'debug', ...LEASH, ...locks, ...args]
      const replica = await run({ ...options, command })
      await replica.event('fleet.started')
      return replica
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A folder of files that any user may read, as a mount must be; what starts with `#!` is executable. */
export function readableFolder(files: Record<string, string>): { dir: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'runner-mount-'))
  chmodSync(dir, 0o755)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

/** `describe`, whose tests are skipped where no engine answers, and say so. */
export function describeContainers(title: string, body: () => void): void {
  const reason = inject('noEngine')
  describe.skipIf(reason !== '')(reason === '' ? title : `${title}: ${reason}`, body)
}
