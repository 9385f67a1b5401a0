/** How `runner k8s render` runs this project on Kubernetes, by environment. Only the config file says so. */
import { z } from 'zod'
import { closest } from '../suggestion.ts'
import { duration, size } from '../units.ts'
import { option, type Option } from './option.ts'

/** Refuses a key that it does not know, with the one that was meant. */
const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, Object.keys(shape)) : undefined,
  })

function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  const told = keys.map(key => {
    const near = closest(key, known)
    return `${key}${near === undefined ? '' : `, did you mean ${near}?`}`
  })
  return `unknown key ${told.join('; ')}`
}

/** Of objects and their labels. Shorter than Kubernetes allows: others are made of it. */
const name = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, 'expected small letters, digits and "-", 40 at most')

/** A tag that moves makes two replicas of one Deployment run different handlers. */
const image = z
  .string()
  .regex(/^[^\s@]+(:[\w.-]+|@sha256:[0-9a-f]{64})$/, 'expected an image with its tag or digest')
  .refine(text => !text.endsWith(':latest'), 'latest is another image every day: name a version or a digest')

const variables = z.record(z.string().regex(/^\w+$/, 'expected the name of a variable'), z.string())

/** Lists of them are variables with commas. */
const QUEUE = /^[^:,\s]+(:[1-9]\d*)?$/

/** '10.0.0.0/8', '10.1.2.3/32:5432'. */
const network = z
  .string()
  .regex(/^[0-9a-f.:]+\/\d{1,3}(:\d{1,5})?$/i, 'expected a CIDR such as 10.0.0.0/8 or 10.1.2.3/32:5432')

const group = strict({
  /** 'mail', or 'mail:20' with its own concurrency. Default, where there is one group: all that jobs name. */
  queues: z
    .array(z.string().regex(QUEUE, 'expected a name, or name:concurrency, without a comma or a space'))
    .min(1)
    .optional(),
  /** `job`: a pod of its own for each job (KEDA ScaledJob), for jobs that outlast any drain of a node. */
  kind: z.enum(['deployment', 'job']).default('deployment'),
  minReplicas: z.int().min(0).default(1),
  maxReplicas: z.int().min(1).default(10),
  /** Default: that of the environment. */
  grace: duration().optional(),
  /** Limit and request. */
  memory: size().prefault('1GiB'),
  /** Cores that are requested; there is no limit, which would only throttle. */
  cpu: z.number().positive().default(1),
  /** Default: one for each core that is requested, and at least two: one that is blocked leaves another. */
  executors: z.int().min(1).max(256).optional(),
  env: variables.default({}),
  /** Names of Secrets, all of whose keys become variables. */
  secrets: z.array(z.string()).default([]),
  /** More flags of `runner work`. */
  args: z.array(z.string()).default([]),
  /** Where its pods may connect to beside Redis and DNS. Default: anywhere. */
  egress: z.array(network).optional(),
  /** Idle pods are removed before busy ones. It needs a service account that may patch pods. */
  podDeletionCost: z.boolean().default(false),
}).refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
  message: 'minReplicas is more than maxReplicas',
  path: ['minReplicas'],
})

/** Where pods have their Redis from. */
const redis = strict({
  /** `config`: from the config file in the image, as Sentinel, Cluster and a CA of its own need it. */
  from: z.enum(['secret', 'config']).default('secret'),
  /**
   * `secret`: the one with the URL, default runner-redis. `config`: one whose keys become variables of replicas and
   * `runner serve`, for the config file to read a password from; default: none.
   */
  secret: z.string().optional(),
  /** Of the Secret; default url. */
  key: z.string().optional(),
  /** That of the URL for `runner serve`, which only reads. Default: the same. */
  readerKey: z.string().optional(),
  /** That pods may connect to, of all nodes and Sentinels. */
  ports: z.array(z.int().min(1).max(65_535)).min(1).default([6379]),
})
  .superRefine(({ from, ...keys }, ctx) => {
    for (const path of ['key', 'readerKey'] as const)
      if (from === 'config' && keys[path] !== undefined)
        ctx.addIssue({
          code: 'custom',
          path: [path],
          message: 'with from config there is no URL of a Secret',
        })
  })
  .prefault({})

const environment = strict({
  image,
  namespace: name,
  /** Of which the names of all objects are made. */
  name: name.default('runner'),
  /** `none`: minReplicas, always. */
  autoscaler: z.enum(['keda', 'hpa', 'none']).default('keda'),
  /** Default: the setting `grace`. */
  grace: duration().optional(),
  redis,
  env: variables.default({}),
  secrets: z.array(z.string()).default([]),
  pullSecrets: z.array(z.string()).default([]),
  groups: z.record(name, group).prefault({ default: {} }),
  /** `runner serve`: two, so that a drained node does not stop scaling. */
  gateway: strict({
    replicas: z.int().min(1).default(2),
    memory: size().prefault('256MiB'),
    cpu: z.number().positive().default(0.1),
    /** For requests and uploads that run when it is told to stop. */
    grace: duration().prefault('25s'),
    /** Names of Secrets, all of whose keys become variables: for a store of files, and databases of migrations. */
    secrets: z.array(z.string()).default([]),
    /** Where it may connect to beside Redis and DNS. */
    egress: z.array(network).default([]),
  }).prefault({}),
  /** A PodMonitor of the Prometheus operator. */
  podMonitor: z.boolean().default(true),
  networkPolicy: z.boolean().default(true),
}).superRefine(({ autoscaler, groups }, ctx) => {
  for (const [key, { kind, minReplicas }] of Object.entries(groups)) {
    const path = ['groups', key]
    if (key === 'serve') ctx.addIssue({ code: 'custom', path, message: 'the name of the gateway' })
    if (kind === 'job' && autoscaler !== 'keda')
      ctx.addIssue({ code: 'custom', path, message: 'kind job is made by KEDA: autoscaler keda' })
    if (minReplicas === 0 && kind === 'deployment' && autoscaler !== 'keda')
      ctx.addIssue({ code: 'custom', path, message: 'minReplicas 0 needs KEDA: autoscaler keda' })
  }
})

export const KUBERNETES_OPTIONS = {
  k8s: option(
    'global',
    undefined,
    [],
    z.record(name, environment),
    {},
    'how runner k8s render runs this project on Kubernetes, by environment: { prod: { image, namespace, groups } }',
  ),
} as const satisfies Record<string, Option>
