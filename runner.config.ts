/** How the example jobs of this repository run on Kubernetes: `npm run render:deploy` makes deploy/base and its overlays of it. */
import type { ConfigFile } from './src/config.ts'

const environment = {
  image: 'registry.example.com/bullmq-runner:0.1.0',
  namespace: 'runner',
  redis: { secret: 'runner-redis', key: 'url', readerKey: 'reader-url' },
  groups: {
    default: { queues: ['default'], maxReplicas: 10, memory: '1GiB', podDeletionCost: true },
    // They wait for the network: many at once, little of a core.
    io: { queues: ['mail:20', 'web:20'], grace: '30s', maxReplicas: 20, memory: '512MiB', cpu: 0.5 },
    // DATABASE_URL is in the Secret.
    migrations: { queues: ['migrations:4'], maxReplicas: 4, memory: '512MiB', secrets: ['runner-database'] },
  },
}

export default {
  k8s: {
    prod: { ...environment, autoscaler: 'keda' },
    hpa: { ...environment, autoscaler: 'hpa' },
  },
} satisfies ConfigFile
