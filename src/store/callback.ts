/** The callbacks of streams, from promises. */
export type Done = (error?: Error | null) => void

/** `as`: what an error is told as. */
export async function tell(
  done: Done,
  act: Promise<unknown>,
  as = (error: unknown) => error as Error,
): Promise<void> {
  let failure: Error | undefined
  try {
    await act
  } catch (error) {
    failure = as(error)
  }
  done(failure)
}
