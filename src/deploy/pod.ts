/** The pod of a replica or of the gateway: one container that may write nothing but /tmp, and three probes. */
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IEnvVar } from 'kubernetes-models/v1/EnvVar'
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec'
import type { IProbe } from 'kubernetes-models/v1/Probe'
import type { Plan } from './plan.ts'
import { cpuQuantity, memoryQuantity } from './quantity.ts'
import { livenessTimes, type ProbeTimes } from './timing.ts'

export const PORT = 9090
export const PORT_NAME = 'http'
/** Of any user of the image. */
const USER = 1000

export interface PodParts {
  name: string
  labels: Record<string, string>
  /** Of `runner`, which is the entry point of the image. */
  args: string[]
  env: IEnvVar[]
  /** Secrets. */
  envFrom: readonly string[]
  /** Bytes. */
  memory: number
  cpu: number
  lockDuration: number | 'auto'
  terminationGracePeriodSeconds: number
  /** Its token is mounted. */
  serviceAccountName?: string
  restartPolicy?: 'Never'
  annotations?: Record<string, string>
}

export function podOf(plan: Plan, parts: PodParts): IPodTemplateSpec {
  const { labels, annotations, serviceAccountName, restartPolicy, terminationGracePeriodSeconds } = parts
  return {
    metadata: { labels, ...(annotations && { annotations }) },
    spec: {
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      automountServiceAccountToken: serviceAccountName !== undefined,
      // Variables for each Service of the namespace: they could be taken for settings.
      enableServiceLinks: false,
      ...(plan.pullSecrets.length > 0 && { imagePullSecrets: plan.pullSecrets.map(name => ({ name })) }),
      ...(restartPolicy && { restartPolicy }),
      terminationGracePeriodSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(restartPolicy === undefined && {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: labels },
          },
        ],
      }),
      containers: [containerOf(plan, parts)],
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }],
    },
  }
}

function containerOf(
  plan: Plan,
  { name, args, env, envFrom, memory, cpu, lockDuration }: PodParts,
): IContainer {
  return {
    name,
    image: plan.image,
    args,
    env,
    ...(envFrom.length > 0 && { envFrom: envFrom.map(secret => ({ secretRef: { name: secret } })) }),
    ports: [{ name: PORT_NAME, containerPort: PORT }],
    // Memory is what it may have at most, so it is also what it is given; of cores it may have what others leave.
    resources: {
      requests: { cpu: cpuQuantity(cpu), memory: memoryQuantity(memory) },
      limits: { memory: memoryQuantity(memory) },
    },
    startupProbe: probe('/startupz', { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 30 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2 }),
    // What fetches no more jobs cannot be drained either: no reason to wait for it.
    livenessProbe: { ...probe('/livez', livenessTimes(lockDuration)), terminationGracePeriodSeconds: 10 },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  }
}

const probe = (path: string, times: ProbeTimes): IProbe => ({
  httpGet: { path, port: PORT_NAME },
  ...times,
})

/** The URL from its Secret, unless the config file has it; then what the environment and the group set. */
export function envOf({ redis, env }: Plan, key = redis.key, own: Record<string, string> = {}): IEnvVar[] {
  const secretKeyRef = { name: redis.secret ?? 'runner-redis', key: key ?? 'url' }
  return [
    ...(redis.from === 'secret' ? [{ name: 'REDIS_URL', valueFrom: { secretKeyRef } }] : []),
    ...Object.entries({ ...env, ...own }).map(([name, value]) => ({ name, value })),
  ]
}

/** What the config file needs to log in to Redis. */
export const redisSecrets = ({ redis: { from, secret } }: Plan): string[] =>
  from === 'config' && secret !== undefined ? [secret] : []
