/** What the routes of the API are made from. */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config.ts'
import type { JobEntry } from '../../job/manifest.ts'
import type { FleetEvents } from '../../observe/events.ts'
import type { Caller } from '../caller.ts'
import type { Drain } from '../drain.ts'
import type { JobCatalog } from '../job-catalog.ts'
import type { Reach } from '../reach.ts'
import type { Tokens } from '../tokens.ts'
import type { Received } from '../upload/receive.ts'

/** Throws Problem, and has left nothing in the store then. `signal`: this process does not wait any longer. */
export type ReceiveForm = (
  request: IncomingMessage,
  options: { job: JobEntry; caller: Caller; signal: AbortSignal },
) => Promise<Received>

export interface ApiParts {
  config: Config
  tokens: Tokens
  catalog: JobCatalog
  reach: Reach
  drain: Drain
  /** For the log: who has changed what. Never a payload, never a token. */
  onChange: (change: FleetEvents['api.changed'][0]) => void
  /** Absent: there are no uploads. */
  receive?: ReceiveForm
}
