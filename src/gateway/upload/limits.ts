/** What one request may hold. Settings are in options/gateway-options.ts; the rest is what no form needs more of. */
import type { Config } from '../../config.ts'

/** Sizes in bytes, durations in milliseconds. */
export type UploadLimits = Pick<
  Config['uploads'],
  | 'maxFile'
  | 'maxTotal'
  | 'maxFiles'
  | 'maxFields'
  | 'maxField'
  | 'concurrent'
  | 'idle'
  | 'minRate'
  | 'orphanAge'
>

/** Bytes of UTF-8. */
export const LONGEST_NAME = 100

/** Of the values of all text fields: they are held in memory, and go into the payload. Or `maxField`, if that is more. */
export const MOST_TEXT = 1024 ** 2

/** What may lie between the reader of a request and the parser. A store that is slow is felt by the client this much later. */
export const BUFFERED = 64 * 1024

/** Of timers. */
const LONGEST_MS = 2 ** 31 - 1

/** Milliseconds that an upload may take. Its first file is nobody's until its last one is there, and must not be swept before. */
export const longestUpload = ({ orphanAge }: Pick<UploadLimits, 'orphanAge'>): number =>
  Math.min(orphanAge / 2, LONGEST_MS)
