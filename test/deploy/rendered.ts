/** The objects of this repository's own environments, as `runner k8s render` makes them. */
import { fileURLToPath } from 'node:url'
import { resolveConfig, type Config } from '../../src/config.ts'
import type { KubernetesObject } from '../../src/deploy/object.ts'
import { objectsOf } from '../../src/deploy/objects.ts'
import { planOf } from '../../src/deploy/plan.ts'

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export type Environment = 'prod' | 'hpa'

export async function rendered(environment: Environment): Promise<KubernetesObject[]> {
  const config = await resolveConfig({ cwd: REPOSITORY, env: {}, flags: {} })
  return objectsOf(planOf(config, environment, []))
}

/** Every setting at its default. */
export const bareConfig = (): Promise<Config> => resolveConfig({ cwd: '/nonexistent', env: {}, flags: {} })

interface Settings {
  k8s: Record<string, object>
  [setting: string]: unknown
}

/** Of settings as a config file gives them. */
export async function configOf(settings: Settings): Promise<Config> {
  return resolveConfig({ cwd: '/nonexistent', env: {}, flags: settings })
}
