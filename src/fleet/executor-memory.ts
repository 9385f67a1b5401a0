/**
 * How much heap an executor may fill. `auto` is 1 GiB, or less in a container with a memory limit: a job that grows
 * without end must meet the limit of its own executor, where it fails alone, before that of the container, where the
 * kernel ends all that the replica runs.
 */
import { totalmem } from 'node:os'
import type { Config } from '../config.ts'
import { bytes, formatMebibytes } from '../units.ts'

type Sized = Pick<Config, 'executorMemory' | 'executors'>

const MOST = bytes('1GiB')
/** With less, a few libraries and a payload of some size are too much already. */
const LEAST = bytes('64MiB')
/**
 * Of a container's limit, for the heaps of all executors together. The rest is the supervisor's heap, and what is no heap:
 * code, stacks, buffers, young generations, the processes of scripts, and the solo executor that tries a suspect alone.
 */
const SHARE = 0.5
/** Beyond this share the kernel is likely to be first. */
const DOUBTFUL = 0.75

/** Bytes. `limit`: those of the container, undefined where there is none. */
export function executorMemory({ executorMemory: asked, executors }: Sized, limit = memoryLimit()): number {
  if (asked !== 'auto') return asked
  if (limit === undefined) return MOST
  return Math.min(MOST, Math.max(LEAST, Math.floor((limit * SHARE) / executors)))
}

/** Why a job that grows may take its replica with it; undefined where it cannot. */
export function memoryDoubt(config: Sized, limit = memoryLimit()): string | undefined {
  if (limit === undefined) return undefined
  const { executors } = config
  const each = executorMemory(config, limit)
  if (each * executors <= limit * DOUBTFUL) return undefined
  const heaps = `${executors} heap(s) of executors may grow to ${formatMebibytes(each)} each`
  return `${heaps}, and this container has ${formatMebibytes(limit)}: a job that grows is killed with the whole replica; give the container more, or take fewer (--executors) or smaller ones (--executor-memory)`
}

/** Bytes that the container of this process may hold: what the kernel tells for "no limit" is more than there is. */
function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : undefined
}
