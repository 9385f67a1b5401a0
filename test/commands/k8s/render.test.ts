/** `runner k8s render` in a user's project: what it prints, what it writes, what it warns of. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { expect, test, vi } from 'vitest'
import { project } from '../../helpers/project.ts'
import { runner } from '../../helpers/runner.ts'

vi.setConfig({ testTimeout: 60_000 })

const JOB = (queue: string) =>
  `import { job } from 'bullmq-runner'\nexport default job({ queue: '${queue}', timeout: '1m', run() {} })\n`
const config = (k8s: string) => `export default { k8s: ${k8s} }\n`
const PORTS = (environment: string, ports: string) =>
  `note: ${environment}: runner serve may connect to Redis at ${ports} only; others: redis: { ports: [6380] }\n`
const ENVIRONMENTS = `{
  prod: { image: 'shop:1', namespace: 'shop', grace: '1m' },
  staging: { image: 'shop:1', namespace: 'shop', grace: '1m', autoscaler: 'none', networkPolicy: false },
}`

test('prints a document for each object; the queues are those of the jobs', async () => {
  using dir = project({ 'jobs/send.ts': JOB('mail'), 'runner.config.ts': config(ENVIRONMENTS) })
  const ended = await runner(['k8s', 'render', '--env', 'prod', '--strict'], { cwd: dir.dir })
  expect(ended).toMatchObject({ code: 0, stderr: PORTS('prod', 'port 6379') })
  const objects = parseAllDocuments(ended.stdout).map(document => document.toJS() as { kind: string })
  expect(objects.map(({ kind }) => kind)).toEqual([
    'Deployment',
    'PodDisruptionBudget',
    'Service',
    'Deployment',
    'PodDisruptionBudget',
    'ScaledObject',
    'NetworkPolicy',
    'NetworkPolicy',
    'PodMonitor',
  ])
  expect(ended.stdout).toContain('- --queue\n            - mail:10\n')
})

test('writes a base and overlays, over what it wrote before and over nothing else', async () => {
  using dir = project({
    'jobs/send.ts': JOB('mail'),
    'runner.config.ts': config(ENVIRONMENTS),
    'deploy/base/service-runner-serve.yaml':
      '# Made by `runner k8s render`: what is changed here is lost.\nold\n',
  })
  const render = () => runner(['k8s', 'render', '--out', 'deploy'], { cwd: dir.dir })
  const first = await render()
  expect(first).toMatchObject({ code: 0, stderr: PORTS('prod', 'port 6379') })
  expect(first.stdout).toContain('wrote deploy/overlays/prod/scaledobject-runner-default.yaml\n')
  const overlay = dir.path('deploy/overlays/staging/kustomization.yaml')
  expect(readFileSync(overlay, 'utf8')).toMatch(/resources:\n {2}- \.\.\/\.\.\/base\n {2}- deployment-/)
  const service = dir.path('deploy/base/service-runner-serve.yaml')
  expect(readFileSync(service, 'utf8')).toContain('\nkind: Service\n')
  writeFileSync(service, 'kind: Service\n')
  const refused = await render()
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(/deploy\/base\/service-runner-serve\.yaml exists already/)
  expect(readFileSync(service, 'utf8')).toBe('kind: Service\n')
})

test('warns of what does not fit together; --strict makes it a failure', async () => {
  const groups =
    "{ prod: { image: 'shop:1', namespace: 'shop', redis: { ports: [6380, 26379] }, groups: { a: { queues: ['mial'], args: ['--graze', '1s'] } } } }"
  using dir = project({ 'jobs/send.ts': JOB('mail'), 'runner.config.ts': config(groups) })
  const ended = await runner(['k8s', 'render', '--env', 'prod', '--strict', '--json'], { cwd: dir.dir })
  expect(ended.code).toBe(1)
  expect(JSON.parse(ended.stdout)).toContainEqual(expect.objectContaining({ kind: 'ScaledObject' }))
  expect(ended.stderr.trimEnd().split('\n')).toEqual([
    PORTS('prod', 'ports 6380, 26379').trimEnd(),
    'warning: no group works the queue mail; did you mean mial?',
    'warning: group a: no job names the queue mial; did you mean mail?',
    'warning: Deployment/runner-a: --graze is no flag of runner, did you mean --grace?; runner work --help lists its flags',
  ])
})

test('refuses job files that do not load, and an environment that was not said', async () => {
  using dir = project({ 'jobs/send.ts': 'export default 1\n', 'runner.config.ts': config(ENVIRONMENTS) })
  const broken = await runner(['k8s', 'render', '--env', 'prod'], { cwd: dir.dir })
  expect(broken).toMatchObject({ code: 2, stdout: '' })
  expect(broken.stderr).toMatch(/1 job file\(s\) cannot be loaded:\n {2}\w+ jobs\/send\.ts/)
  dir.write({ 'jobs/send.ts': JOB('mail') })
  const unsaid = await runner(['k8s', 'render'], { cwd: dir.dir })
  expect(unsaid.stderr).toBe('error: --env: which environment?\nhint: --env prod or --env staging\n')
})
