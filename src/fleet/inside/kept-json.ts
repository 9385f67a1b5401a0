/** The JSON of what a job keeps in Redis beside its payload: its checkpoint, and the results of its steps. */
import { RunnerError, messageOf } from '../../errors.ts'
import { MAX_PAYLOAD } from '../../job/args.ts'

/** Throws CTX_VALUE_INVALID for what is not JSON, or larger than a payload may be. `what` is the start of its message. */
export function keptJson(what: string, value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (error) {
    throw new RunnerError('CTX_VALUE_INVALID', `${what} is not JSON: ${messageOf(error)}`, { cause: error })
  }
  if (json === undefined) throw new RunnerError('CTX_VALUE_INVALID', `${what} is not JSON: a ${typeof value}`)
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_PAYLOAD) return json
  throw new RunnerError(
    'CTX_VALUE_INVALID',
    `${what} has ${bytes} bytes of JSON, ${MAX_PAYLOAD} are allowed`,
    { hint: 'store it elsewhere, and keep its place' },
  )
}
