/** How long something may take before who asked is told that it does not come. */

/** Rejects with what `late` makes when `promise` has not settled within `ms` milliseconds. It is not ended by that. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  const { promise: timeUp, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    return await Promise.race([promise, timeUp])
  } finally {
    clearTimeout(timer)
  }
}
