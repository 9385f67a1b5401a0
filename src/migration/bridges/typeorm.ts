/** `bullmq-runner/typeorm`: `tx` is the EntityManager of a TypeORM transaction. */
import type { DataSource, EntityManager } from 'typeorm'
import type { Bridge } from '../bridge.ts'

export function typeorm(dataSource: DataSource): Bridge<EntityManager> {
  return {
    placeholders: 'native',
    async transaction(work) {
      if (!dataSource.isInitialized) await dataSource.initialize()
      return dataSource.transaction(tx =>
        work(tx, async (sql, params) => {
          // Structured: else an UPDATE answers with its rows and their number.
          const { records, raw } = (await tx.queryRunner?.query(sql, [...params], true)) ?? {
            records: [],
            raw: [],
          }
          return records ?? (Array.isArray(raw) ? raw : [])
        }),
      )
    },
  }
}
