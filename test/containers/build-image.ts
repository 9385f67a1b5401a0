/** Before the first test: builds the image, or finds out why there is none, which is then what each test is skipped for. */
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

const IMAGE = 'bullmq-runner:test'

declare module 'vitest' {
  export interface ProvidedContext {
    image: string
    /** Empty: an engine answers. */
    noEngine: string
  }
}

export default async function buildImage({ provide }: TestProject): Promise<void> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'
  provide('image', IMAGE)
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
  } catch (error) {
    const reason = `no container engine answers (${(error as Error).message.split('\n')[0]})`
    console.error(`skipped: ${reason}`)
    provide('noEngine', reason)
    return
  }
  provide('noEngine', '')
  const args = { NPM_CI_FLAGS: process.env['NPM_CI_FLAGS'] ?? '', ...nodeImage() }
  await GenericContainer.fromDockerfile(fileURLToPath(new URL('../..', import.meta.url)))
    .withBuildArgs(args)
    // The next run begins with its layers.
    .build(IMAGE, { deleteOnExit: false })
}

function nodeImage(): Record<string, string> {
  const image = process.env['NODE_IMAGE']
  return image === undefined ? {} : { NODE_IMAGE: image }
}
