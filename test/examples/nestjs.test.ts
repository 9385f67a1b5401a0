/** What the example of NestJS, which is tested in its own folder, shares with the repository around it. */
import { readFileSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'

const REPOSITORY = new URL('../../', import.meta.url)
const textOf = (file: string): string => readFileSync(new URL(file, REPOSITORY), 'utf8')

interface Manifest {
  dependencies: object
  peerDependencies: object
  engines: object
  version: string
}

it('is locked to this very package: npm ci refuses another', () => {
  const manifest = JSON.parse(textOf('package.json')) as Manifest
  const lock = JSON.parse(textOf('examples/nestjs/package-lock.json')) as {
    packages: Record<string, Manifest>
  }
  const { version, dependencies, peerDependencies, engines } = manifest
  const hint = 'without its entry of bullmq-runner, npm install --package-lock-only in examples/nestjs'
  expect(lock.packages['node_modules/bullmq-runner'], hint).toMatchObject({
    version,
    dependencies,
    peerDependencies,
    engines,
  })
})

it('is what docs/nestjs.md shows', () => {
  const folder = 'examples/nestjs/src/'
  const sources = readdirSync(new URL(folder, REPOSITORY)).map(file => textOf(folder + file))
  const blocks = [...textOf('docs/nestjs.md').matchAll(/^```ts\n(.*?)^```$/gms)].map(
    ([, text]) => text as string,
  )
  expect(blocks).toHaveLength(4)
  for (const block of blocks)
    expect(
      sources.some(text => text.includes(block)),
      block,
    ).toBe(true)
})
