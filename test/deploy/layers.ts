/** Three ways to find what is wrong with objects of Kubernetes: their schemas, their types, and our own rules. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Config } from '../../src/config.ts'
import { readDocuments } from '../../src/deploy/documents.ts'
import type { KubernetesObject } from '../../src/deploy/object.ts'
import { RULES, worldOf } from '../../src/deploy/policy.ts'
import { REPOSITORY } from './rendered.ts'

/** Where each kind is declared: class and interface have its name. */
const MODULES: Record<string, string> = {
  Deployment: 'kubernetes-models/apps/v1/Deployment',
  HorizontalPodAutoscaler: 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler',
  NetworkPolicy: 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy',
  PodDisruptionBudget: 'kubernetes-models/policy/v1/PodDisruptionBudget',
  Role: 'kubernetes-models/rbac.authorization.k8s.io/v1/Role',
  RoleBinding: 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding',
  Service: 'kubernetes-models/v1/Service',
  ServiceAccount: 'kubernetes-models/v1/ServiceAccount',
  ScaledJob: '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledJob',
  ScaledObject: '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject',
  PodMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor',
}

function moduleOf(kind: string): string {
  const path = MODULES[kind]
  if (path === undefined) throw new Error(`no schema of ${kind} is known`)
  return path
}

/** By schema: wrong types, words that are none of a list, what is missing. Not keys that nobody knows. */
export async function schemaFaults(objects: readonly KubernetesObject[]): Promise<string[]> {
  const all = objects.map(async object => {
    const classes = (await import(moduleOf(object.kind))) as Record<
      string,
      new (data: object) => { validate(): void }
    >
    const Kind = classes[object.kind]
    if (Kind === undefined) throw new Error(`no class ${object.kind}`)
    try {
      new Kind(object).validate()
      return []
    } catch (error) {
      return [`${object.kind}: ${(error as Error).message}`]
    }
  })
  return (await Promise.all(all)).flat()
}

/** By the compiler: keys that nobody knows. `sets` by name; what it says of each of them. One run of it for all. */
export async function typeFaults(
  sets: Readonly<Record<string, readonly KubernetesObject[]>>,
): Promise<Record<string, string[]>> {
  const dir = mkdtempSync(join(tmpdir(), 'manifests-'))
  try {
    symlinkSync(join(REPOSITORY, 'node_modules'), join(dir, 'node_modules'))
    const names = Object.keys(sets)
    for (const [i, objects] of Object.values(sets).entries())
      writeFileSync(join(dir, `set${i}.ts`), moduleText(objects))
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      skipLibCheck: true,
      noEmit: true,
      types: [],
    }
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const said = await compile(dir)
    const faults = [...said.matchAll(/^set(\d+)\.ts\(.*?error (.*)$/gm)].map(
      ([, i = '', message = '']) => [names[Number(i)] ?? '', message] as const,
    )
    // Anything else that it says is about how it was called.
    if (faults.length === 0 && said !== '') throw new Error(said)
    return Object.fromEntries(
      names.map(name => [name, faults.flatMap(([of, message]) => (of === name ? [message] : []))]),
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function moduleText(objects: readonly KubernetesObject[]): string {
  const kinds = [...new Set(objects.map(({ kind }) => kind))]
  const imports = kinds.map(kind => `import type { I${kind} } from '${moduleOf(kind)}'`)
  const constants = objects.map(
    (object, i) => `export const o${i} = ${JSON.stringify(object)} satisfies I${object.kind}`,
  )
  return [...imports, ...constants].join('\n')
}

const compile = (cwd: string): Promise<string> =>
  new Promise(resolve => {
    const compiler = join(REPOSITORY, 'node_modules/typescript/bin/tsc')
    execFile(process.execPath, [compiler, '-p', cwd], { cwd }, (_, stdout) => resolve(stdout.trim()))
  })

/** Names of the rules that are broken, by the way over YAML. */
export function brokenRules(objects: readonly object[], config: Config, queues: readonly string[]): string[] {
  const text = objects.map(object => stringify(object)).join('---\n')
  const world = worldOf(readDocuments(text, 'test.yaml'), config, { queues })
  return Object.entries(RULES).flatMap(([name, { check }]) => ([...check(world)].length > 0 ? [name] : []))
}
