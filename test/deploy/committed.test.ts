/** deploy/ holds what is rendered now, and kustomize makes the same objects of it. */
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/deploy/files.ts'
import { runner } from '../helpers/runner.ts'
import { REPOSITORY, rendered } from './rendered.ts'

const DEPLOY = join(REPOSITORY, 'deploy')
const ENVIRONMENTS = ['prod', 'hpa'] as const

/** In one order, whoever lists them. */
const sorted = (objects: readonly unknown[]): string[] => objects.map(object => stable(object)).sort()

const stable = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

const documents = (text: string): unknown[] =>
  parseAllDocuments(text).map(document => document.toJS() as unknown)

/** What a kustomization of ours comes to: the files that it names. Ours have resources and nothing else. */
function composed(folder: string): unknown[] {
  const { resources, apiVersion, kind, ...rest } = parse(
    readFileSync(join(folder, 'kustomization.yaml'), 'utf8'),
  ) as { resources: string[]; apiVersion: string; kind: string }
  expect([apiVersion, kind, rest]).toEqual(['kustomize.config.k8s.io/v1beta1', 'Kustomization', {}])
  return resources.flatMap(name =>
    name.endsWith('.yaml')
      ? documents(readFileSync(join(folder, name), 'utf8'))
      : composed(join(folder, name)),
  )
}

test('every file is as it would be rendered now: npm run render:deploy', async () => {
  const expected = layoutOf({ prod: await rendered('prod'), hpa: await rendered('hpa') })
  const folders = ['base', 'overlays']
  const committed = folders
    .flatMap(folder => readdirSync(join(DEPLOY, folder), { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => relative(DEPLOY, join(entry.parentPath, entry.name)))
  expect(committed.sort()).toEqual(Object.keys(expected).sort())
  for (const [file, text] of Object.entries(expected))
    expect(readFileSync(join(DEPLOY, file), 'utf8'), file).toBe(text)
})

describe.each(ENVIRONMENTS)('the overlay %s', environment => {
  test('comes to the objects of the environment', async () => {
    const objects = await rendered(environment)
    expect(sorted(composed(join(DEPLOY, 'overlays', environment)))).toEqual(sorted(objects))
  })

  test('comes to them by kubectl too', async context => {
    const kustomized = await kustomize(join(DEPLOY, 'overlays', environment))
    if (kustomized === undefined) return context.skip('there is no kubectl here, or an old one')
    return expect(sorted(documents(kustomized))).toEqual(sorted(await rendered(environment)))
  })
})

test('runner k8s render prints them', async () => {
  const ended = await runner(['k8s', 'render', '--env', 'prod'], { cwd: REPOSITORY })
  expect(ended).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^note: prod: .* at port 6379 only.*\n$/) as string,
  })
  expect(documents(ended.stdout)).toEqual(JSON.parse(JSON.stringify(await rendered('prod'))))
})

/** undefined: no kubectl, or one of before 1.21, whose kustomize is another. */
async function kustomize(folder: string): Promise<string | undefined> {
  const run = promisify(execFile)
  try {
    const { stdout } = await run('kubectl', ['version', '--client', '-o', 'json'])
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { major: string; minor: string } }
    if (clientVersion.major === '1' && Number.parseInt(clientVersion.minor) < 21) return undefined
  } catch {
    return undefined
  }
  return (await run('kubectl', ['kustomize', folder])).stdout
}
