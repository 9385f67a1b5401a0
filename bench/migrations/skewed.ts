/** What bench/skew.ts measures: says which replica did each batch, and when. */
import { keyset, migration } from 'bullmq-runner'
import { touchRows } from '../touch-rows.ts'

export default migration({
  source: keyset<{ id: number; email: string }>('users', { key: 'id', select: ['id', 'email'] }),
  shards: 4,
  async batch({ rows, tx, emit }) {
    const from = Date.now()
    await touchRows(tx, rows, false)
    emit({ replica: process.pid, from, to: Date.now() })
  },
})
