/** What bench/migration.ts measures, beside the same in a loop written by hand. */
import { keyset, migration } from 'bullmq-runner'
import { z } from 'zod'
import { touchRows } from '../touch-rows.ts'

export default migration({
  args: z.object({ postgres: z.boolean() }),
  source: keyset<{ id: number; email: string }>('users', { key: 'id', select: ['id', 'email'] }),
  batch: ({ rows, args, tx }) => touchRows(tx, rows, args.postgres),
})
