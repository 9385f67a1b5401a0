/**
 * What passes through a gateway dies young: a buffer of 64 KiB for each read of a socket, and hardly an object beside it.
 * V8 lets its young space grow to many megabytes, looks through it when it is full, and until then holds every such buffer
 * that is long dead. With a space that stays as small as it starts, 120 MB into a bucket peak at 112 MB of memory instead
 * of 154, in the same time.
 */
import { setFlagsFromString } from 'node:v8'

/** Of this process and from now on. Not for one that runs handlers: theirs may well keep more objects for a while. */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
