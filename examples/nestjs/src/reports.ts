import { Injectable } from '@nestjs/common'
import { JobHandler, type JobContext } from 'bullmq-runner/nestjs'
import { z } from 'zod'

const count = z.object({ table: z.string() })

@Injectable()
export class ReportHandlers {
  @JobHandler('reports', 'count-rows', { args: count, attempts: 3 })
  async count({ args }: JobContext<z.output<typeof count>>) {
    return args.table.length
  }

  /** Runs when all of its children are done. */
  @JobHandler('reports', 'write-report')
  async write({ children }: JobContext) {
    const counts = await children<number>()
    return { rows: counts.reduce((sum, child) => sum + ('result' in child ? (child.result ?? 0) : 0), 0) }
  }
}
