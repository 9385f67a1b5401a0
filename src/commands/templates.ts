/** What `init` and `new` write. A test loads and runs each. */

export const HELLO_JOB = `import { job } from 'bullmq-runner'
import { z } from 'zod'

export default job({
  description: 'Says hello',
  args: z.object({ name: z.string().default('world').describe('who is greeted') }),
  attempts: 3,
  backoff: { type: 'exponential', delay: '1s' },
  timeout: '30s',
  async run({ args, log }) {
    log.info(\`hello, \${args.name}\`)
    return { greeted: args.name }
  },
})
`

export const HELLO_SCRIPT = `#!/bin/sh
# Run by: npx runner enqueue hello-shell --name Ada
# The payload is given as --name Ada, and as JSON on stdin. What is printed goes to the log of the job.
# Exit code 0: done. 75: try again later. Any other: failed.
echo "hello from a script, called with: $*"
`

export const CONFIG = `import { defineConfig } from 'bullmq-runner'

// Flags and the environment win over what is said here: npx runner work --help lists both.
export default defineConfig({
  // redis: 'redis://localhost:6379',
  concurrency: 10,
})
`

export const jobTemplate = (name: string): string => `import { job } from 'bullmq-runner'
import { z } from 'zod'

export default job({
  // queue: 'default',
  description: '${name}',
  args: z.object({
    // to: z.email(),
  }),
  attempts: 3,
  backoff: '5s',
  timeout: '1m',
  async run({ log }) {
    log.info('running ${name}')
  },
})
`

export const scriptTemplate = (name: string): string => `import { job } from 'bullmq-runner'
import { z } from 'zod'

// One-off work: run it with \`runner enqueue ${name} --follow\`.
export default job({
  description: '${name}',
  args: z.object({ count: z.int().min(1).default(10) }),
  async run({ args, progress, breathe }) {
    for (let done = 1; done <= args.count; done++) {
      progress(done, args.count)
      // Lets other jobs of the executor run, and ends here when the job was cancelled.
      await breathe()
    }
    return { done: args.count }
  },
})
`

export const migrationTemplate = (name: string): string => `import { keyset, migration } from 'bullmq-runner'

// Every row once, whatever happens to the replicas: \`runner enqueue ${name} --dry-run\` says what one batch does,
// \`runner migrations status ${name} --watch\` how far it is.
export default migration({
  description: '${name}',
  source: keyset<{ id: number }>('users', { key: 'id', select: ['id'] }),
  async batch({ rows, tx }) {
    for (const { id } of rows) await tx.query('update users set migrated = 1 where id = $1', [id])
  },
  verify: ({ db }) => db.empty('select 1 from users where migrated is null limit 1'),
})
`
