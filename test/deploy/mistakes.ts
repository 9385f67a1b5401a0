/** Mistakes in the objects that we ship, and what catches each. */

// Mistakes are made to objects that their types would not allow.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any
type Find = (kind: string, name: string) => Loose

const worker = (find: Find): Loose => find('Deployment', 'runner-io').spec.template.spec
const container = (find: Find): Loose => worker(find).containers[0]
const scaled = (find: Find): Loose => find('ScaledObject', 'runner-io').spec
/** Another name for what is there. */
function rename(object: Loose, from: string, to: string): void {
  object[to] = object[from]
  delete object[from]
}
const replaceArg = (find: Find, from: string, to: string): void => {
  container(find).args = container(find).args.map((word: string) => (word === from ? to : word))
}

interface Mistake {
  change: (find: Find) => void
  /** `schema` and `types` are the layers of that name, everything else is a rule of the policy. */
  caughtBy: string[]
  /** Default prod. */
  in?: 'hpa' | 'other'
}

export const MISTAKES: Record<string, Mistake> = {
  livenessProb: {
    change: find => rename(container(find), 'livenessProbe', 'livenessProb'),
    caughtBy: ['types', 'probes'],
  },
  'a path of a probe that is none': {
    change: find => (container(find).livenessProbe.httpGet.path = '/healthz'),
    caughtBy: ['probes'],
  },
  'liveness that asks for Redis': {
    change: find => (container(find).livenessProbe.httpGet.path = '/readyz'),
    caughtBy: ['probes'],
  },
  'a port of a probe that nothing is named': {
    change: find => (container(find).readinessProbe.httpGet.port = 'metrics'),
    caughtBy: ['probes'],
  },
  'a container port that is not that of --http': {
    change: find => (container(find).ports[0].containerPort = 8080),
    caughtBy: ['probes'],
  },
  'no probe of liveness': {
    change: find => delete container(find).livenessProbe,
    caughtBy: ['probes'],
  },
  '--http at the loopback': {
    change: find => replaceArg(find, ':9090', '127.0.0.1:9090'),
    caughtBy: ['probes'],
  },
  'a liveness budget below the lock': {
    change: find =>
      Object.assign(container(find).livenessProbe, {
        periodSeconds: 2,
        failureThreshold: 2,
        timeoutSeconds: 1,
      }),
    caughtBy: ['liveness'],
  },
  'a termination shorter than the grace': {
    change: find => (worker(find).terminationGracePeriodSeconds = 30),
    caughtBy: ['termination'],
  },
  'a termination that was left out': {
    change: find => delete worker(find).terminationGracePeriodSeconds,
    caughtBy: ['termination'],
  },
  'a preStop that sleeps the grace away': {
    change: find => (container(find).lifecycle = { preStop: { exec: { command: ['sleep', '20'] } } }),
    caughtBy: ['termination'],
  },
  'a number as text': {
    change: find => (worker(find).terminationGracePeriodSeconds = '45'),
    caughtBy: ['schema', 'types', 'termination'],
  },
  'no selector': {
    change: find => delete find('Deployment', 'runner-io').spec.selector,
    caughtBy: ['schema', 'types', 'selectors'],
  },
  'a selector of other pods': {
    change: find =>
      (find('Deployment', 'runner-io').spec.selector.matchLabels['app.kubernetes.io/instance'] = 'mail'),
    caughtBy: ['selectors'],
  },
  'a selector that two Deployments share': {
    change: find =>
      delete find('Deployment', 'runner-io').spec.selector.matchLabels['app.kubernetes.io/instance'],
    caughtBy: ['selectors'],
  },
  'a PodDisruptionBudget of nothing': {
    change: find => (find('PodDisruptionBudget', 'runner-io').spec.selector.matchLabels = { app: 'io' }),
    caughtBy: ['selectors'],
  },
  'a Service at a port that has no name': {
    change: find => (find('Service', 'runner-serve').spec.ports[0].targetPort = 'web'),
    caughtBy: ['selectors'],
  },
  'a PodMonitor at a port that has no name': {
    change: find => (find('PodMonitor', 'runner').spec.podMetricsEndpoints[0].port = 'metrics'),
    caughtBy: ['selectors'],
  },
  'replicas beside the autoscaler': {
    change: find => (find('Deployment', 'runner-io').spec.replicas = 3),
    caughtBy: ['scaling'],
  },
  'replicas beside an HPA': {
    in: 'hpa',
    change: find => (find('Deployment', 'runner-io').spec.replicas = 3),
    caughtBy: ['scaling'],
  },
  'an HPA of the wrong Deployment': {
    in: 'hpa',
    change: find => (find('HorizontalPodAutoscaler', 'runner-io').spec.scaleTargetRef.name = 'runner-oi'),
    caughtBy: ['references'],
  },
  'an HPA that takes the figure as it is': {
    in: 'hpa',
    change: find => {
      const [metric] = find('HorizontalPodAutoscaler', 'runner-io').spec.metrics
      metric.external.target = { type: 'Value', value: '1' }
    },
    caughtBy: ['scaling'],
  },
  behaviour: {
    in: 'hpa',
    change: find => rename(find('HorizontalPodAutoscaler', 'runner-io').spec, 'behavior', 'behaviour'),
    caughtBy: ['types'],
  },
  poolingInterval: {
    change: find => rename(scaled(find), 'pollingInterval', 'poolingInterval'),
    caughtBy: ['types'],
  },
  'a ScaledObject of a Deployment that is not there': {
    change: find => (scaled(find).scaleTargetRef.name = 'runner-mail'),
    caughtBy: ['references'],
  },
  'a trigger that asks for another queue': {
    change: find =>
      (scaled(find).triggers[0].metadata.url = 'http://runner-serve.runner.svc:9090/v1/queues/mial/scale'),
    caughtBy: ['scaling'],
  },
  'a trigger that asks in the namespace of KEDA': {
    change: find => (scaled(find).triggers[0].metadata.url = 'http://runner-serve:9090/v1/queues/mail/scale'),
    caughtBy: ['scaling'],
  },
  'a trigger that asks a Service that is not there': {
    change: find =>
      (scaled(find).triggers[0].metadata.url = 'http://runner-serv.runner.svc:9090/v1/queues/mail/scale'),
    caughtBy: ['scaling'],
  },
  'a ScaledJob that counts replicas': {
    in: 'other',
    change: find =>
      (find('ScaledJob', 'shop-exports').spec.triggers[0].metadata.valueLocation = 'desiredReplicas'),
    caughtBy: ['scaling'],
  },
  'a ScaledJob that does not see what a lost pod left behind': {
    in: 'other',
    change: find => (find('ScaledJob', 'shop-exports').spec.triggers[0].metadata.valueLocation = 'runnable'),
    caughtBy: ['scaling'],
  },
  'a ScaledJob whose pods are started again': {
    in: 'other',
    change: find =>
      (find('ScaledJob', 'shop-exports').spec.jobTargetRef.template.spec.restartPolicy = 'OnFailed'),
    caughtBy: ['schema', 'types'],
  },
  'a trigger that takes the figure as it is': {
    change: find => (scaled(find).triggers[0].metricType = 'Value'),
    caughtBy: ['scaling'],
  },
  'a target that is a number': {
    change: find => (scaled(find).triggers[0].metadata.targetValue = 1),
    caughtBy: ['schema', 'types'],
  },
  latest: {
    change: find => (container(find).image = 'registry.example.com/bullmq-runner:latest'),
    caughtBy: ['image'],
  },
  'an image without a tag': {
    change: find => (container(find).image = 'registry.example.com:5000/bullmq-runner'),
    caughtBy: ['image'],
  },
  'a shell as process 1': {
    change: find =>
      Object.assign(container(find), {
        command: ['sh', '-c'],
        args: [`runner ${container(find).args.join(' ')}`],
      }),
    caughtBy: ['process 1'],
  },
  root: {
    change: find => (worker(find).securityContext.runAsUser = 0),
    caughtBy: ['security'],
  },
  'a root file system that can be written to': {
    change: find => delete container(find).securityContext.readOnlyRootFilesystem,
    caughtBy: ['security'],
  },
  'a volume that is not there': {
    change: find => (container(find).volumeMounts[0].name = 'temp'),
    caughtBy: ['security'],
  },
  'no limit of memory': {
    change: find => delete container(find).resources.limits,
    caughtBy: ['memory limit'],
  },
  'the password in plain text': {
    change: find =>
      (container(find).env[0] = { name: 'REDIS_URL', value: 'redis://worker:secret@redis:6379' }),
    caughtBy: ['REDIS_URL'],
  },
  'no Redis': {
    change: find => container(find).env.shift(),
    caughtBy: ['REDIS_URL'],
  },
  'a flag that is none': {
    change: find => replaceArg(find, '--grace', '--graze'),
    caughtBy: ['flags'],
  },
  'a value that the flag does not take': {
    change: find => replaceArg(find, '30s', '30 parsecs'),
    caughtBy: ['flags'],
  },
  'a variable that is no setting': {
    change: find => container(find).env.push({ name: 'RUNNER_CONCURENCY', value: '5' }),
    caughtBy: ['flags'],
  },
  'a queue that nobody works': {
    change: find => replaceArg(find, 'web:20', 'mail:20'),
    caughtBy: ['queues', 'scaling'],
  },
  'pod deletion cost without the right to it': {
    change: find => (find('Role', 'runner-worker').rules[0].verbs = ['get']),
    caughtBy: ['references'],
  },
  'a binding of a Role that is not there': {
    change: find => (find('RoleBinding', 'runner-worker').roleRef.name = 'runner-workers'),
    caughtBy: ['references'],
  },
}
