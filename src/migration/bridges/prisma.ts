/** `bullmq-runner/prisma`: `tx` is the client of a Prisma transaction. Of the client that `prisma generate` made. */
import { LIMITS } from '../database.ts'
import type { Bridge } from '../bridge.ts'

interface RawClient {
  $queryRawUnsafe<Of>(sql: string, ...params: unknown[]): PromiseLike<Of>
}

interface PrismaClient<Tx> {
  $transaction<T>(work: (tx: Tx) => Promise<T>, options?: { maxWait?: number; timeout?: number }): Promise<T>
}

export function prisma<Tx extends RawClient>(client: PrismaClient<Tx>): Bridge<Tx> {
  return {
    placeholders: 'native',
    transaction: work =>
      // Prisma's own limit of 5 s is for requests; a batch has those of the database.
      client.$transaction(
        tx => work(tx, async (sql, params) => tx.$queryRawUnsafe<unknown[]>(sql, ...params)),
        {
          maxWait: LIMITS.statement,
          timeout: 2 * LIMITS.idle,
        },
      ),
  }
}
