/** `runner probe`: its exit code, what it says, and how little it loads. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen, type Listener } from '../../src/gateway/listener.ts'
import { probeRoutes } from '../../src/gateway/probes.ts'
import { project } from '../helpers/project.ts'
import { freePort } from '../helpers/redis.ts'
import { runner } from '../helpers/runner.ts'

let listener: Listener
let address: string
beforeAll(async () => {
  const app = probeRoutes({
    startup: () => ({ ok: true, why: 'started' }),
    ready: () => ({ ok: false, why: 'draining: told to stop' }),
    live: () => ({ ok: true, why: 'working' }),
  })
  listener = await listen(app, '127.0.0.1:0')
  address = listener.url.replace('http://', '')
})
afterAll(() => listener.close())

const cwd = import.meta.dirname

/** Reports what was loaded on stderr, at the end. */
const SPY = `import { registerHooks } from 'node:module'
const seen = []
registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) })
process.on('exit', () => console.error(seen.join('\\n')))`

describe('runner probe', () => {
  it('is silent on success, and loads neither the settings nor a library', async () => {
    const nodeFlags = ['--import', `data:text/javascript,${encodeURIComponent(SPY)}`]
    const { code, stdout, stderr } = await runner(['probe', 'live', '--http', address], { cwd, nodeFlags })
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toContain('/ask-probe.ts')
    expect(stderr).not.toContain('/node_modules/')
    expect(stderr).not.toContain('/config.ts')
    expect(stderr.match(/^file:/gm)?.length).toBeLessThan(8)
  })

  it('takes the address from the environment, with any host of this machine', async () => {
    const port = address.split(':')[1]
    const env = { RUNNER_HTTP: `:${port}` }
    expect(await runner(['probe', 'startup'], { cwd, env })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('ends with 1 and the reason when the answer is no', async () => {
    expect(await runner(['probe', 'ready', `--http=${address}`], { cwd })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: not ready: draining: told to stop\n',
    })
  })

  it('finds the address in the config file, and says it as JSON, on the long way', async () => {
    using dir = project({ 'runner.config.mjs': `export default { http: '${address}' }` })
    const { code, stderr } = await runner(['probe', 'ready', '--json'], { cwd: dir.dir })
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'PROBE_FAILED', message: 'not ready: draining: told to stop' },
    })
  })

  it('says that nobody is there, and gives up on who does not answer within 4 s', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    const nobody = await freePort()
    const { port } = silent.address() as { port: number }
    const started = performance.now()
    const [gone, mute] = await Promise.all([
      runner(['probe', 'live', '--http', `:${nobody}`], { cwd }),
      runner(['probe', 'live', '--http', `127.0.0.1:${port}`], { cwd }),
    ])
    silent.closeAllConnections()
    silent.close()
    expect(gone).toMatchObject({ code: 1 })
    expect(gone.stderr).toMatch(
      /^error: not live: connect ECONNREFUSED .*\nhint: runner work answers at the address/,
    )
    expect(mute).toMatchObject({ code: 1 })
    expect(mute.stderr).toContain('error: not live: no answer within 4 s')
    expect(performance.now() - started).toBeGreaterThan(3_900)
  })

  it('names what can be probed, what is no address, and what is missing', async () => {
    const [slip, bad, missing] = await Promise.all([
      runner(['probe', 'redy', '--http', address], { cwd }),
      runner(['probe', 'live', '--http', 'nine'], { cwd }),
      runner(['probe', 'live'], { cwd }),
    ])
    expect(slip).toMatchObject({ code: 2 })
    expect(slip.stderr).toContain('hint: did you mean ready?')
    expect(bad).toMatchObject({ code: 2 })
    expect(bad.stderr).toContain('expected an address such as :9090')
    expect(missing).toMatchObject({ code: 2 })
    expect(missing.stderr).toContain('--http or RUNNER_HTTP')
  })
})
