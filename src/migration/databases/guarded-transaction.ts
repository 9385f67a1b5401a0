/** Some errors end a transaction by themselves: what comes next would be committed statement by statement. */
import type { Queryable } from '../database.ts'

export interface GuardedTransaction extends Queryable {
  /** Throws the error that ended it. */
  assertOpen(): void
}

/** Refuses everything after an error of which `hasEnded` says that the transaction is gone, by that error. */
export function guarded(on: Queryable, hasEnded: (error: unknown) => boolean): GuardedTransaction {
  let gone: { error: unknown } | undefined
  const assertOpen = () => {
    if (gone !== undefined) throw gone.error
  }
  return {
    assertOpen,
    async query(sql, params) {
      assertOpen()
      try {
        return await on.query(sql, params)
      } catch (error) {
        if (hasEnded(error)) gone = { error }
        throw error
      }
    },
  }
}
