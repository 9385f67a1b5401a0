/** `--file users=./users.csv`: a file of this host becomes a field of the payload, by way of the store. */
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { placesOf, type Config } from '../../config.ts'
import { RunnerError, messageOf } from '../../errors.ts'
import type { FileRef } from '../../file-ref.ts'
import type { FileField, JobEntry } from '../../job/manifest.ts'
import { redisErrorKind } from '../../redis/redis-error.ts'
import { takeIn } from '../../store/intake.ts'
import { SNIFFED, mediaType } from '../../store/media-type.ts'
import { openStores } from '../../store/stores.ts'
import { didYouMean } from '../../suggestion.ts'
import type { Assignment } from './payload.ts'

interface Input {
  field: string
  path: string
  about: FileField & { maxBytes: number }
  /** As it will be, but for what only storing it tells. */
  expected: FileRef
}

export interface FileInputs {
  /** What a check of the payload may look at before anything is stored. */
  expected: Assignment[]
  store(): Promise<StoredInputs>
}

interface StoredInputs {
  assignments: Assignment[]
  /**
   * They are removed again: nothing refers to them. With the `error` of an add whose answer was lost they stay, since the
   * job may be there, and the sweep finds out.
   */
  discard(error?: unknown): Promise<void>
}

/** Before it is stored. */
const NOWHERE = 'uploads/0000/00/00/00000000-0000-0000-0000-000000000000'

/** Looks at each file, and reads only its first bytes. Throws USAGE, or FILE_REFUSED for its type or its size. */
export async function readFileFlags(
  given: readonly string[],
  entry: JobEntry,
  config: Config,
): Promise<FileInputs> {
  const inputs: Input[] = []
  for (const flag of given) inputs.push(await inputOf(flag, entry, config))
  refuseTwice(inputs)
  return {
    expected: assign(
      inputs,
      inputs.map(({ expected }) => expected),
    ),
    store: () => storeAll(inputs, config),
  }
}

async function inputOf(flag: string, entry: JobEntry, config: Config): Promise<Input> {
  const equals = flag.indexOf('=')
  const [field, path] = [flag.slice(0, equals), flag.slice(equals + 1)]
  if (equals < 1 || path === '')
    throw new RunnerError('USAGE', `--file: got ${JSON.stringify(flag)}, expected <field>=<path>`)
  const fields = entry.files ?? {}
  const known = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (known === undefined) {
    const names = Object.keys(fields)
    throw new RunnerError('USAGE', `--file: ${entry.name} has no file ${JSON.stringify(field)}`, {
      hint: `its files are ${names.join(', ')}`,
      ...didYouMean(field, names),
    })
  }
  const about = { ...known, maxBytes: known.maxBytes ?? config.uploads.maxFile }
  return { field, path, about, expected: await look(resolve(config.cwd, path), about) }
}

async function look(path: string, { types, maxBytes }: Input['about']): Promise<FileRef> {
  let handle: FileHandle
  try {
    handle = await open(path)
  } catch (error) {
    throw new RunnerError('USAGE', `--file: ${messageOf(error)}`, { cause: error })
  }
  try {
    const [stats, { buffer, bytesRead }] = [await handle.stat(), await read(handle, path)]
    const name = basename(path)
    if (stats.size > maxBytes)
      throw new RunnerError('FILE_REFUSED', `${name} has ${stats.size} bytes, and ${maxBytes} are allowed`, {
        details: { reason: 'size', limit: maxBytes },
      })
    const type = await mediaType(buffer.subarray(0, bytesRead), { fileName: name, types })
    return { $file: NOWHERE, sha256: '0'.repeat(64), bytes: stats.size, type, name }
  } finally {
    await handle.close()
  }
}

async function read(handle: FileHandle, path: string) {
  try {
    return await handle.read(Buffer.alloc(SNIFFED), 0, SNIFFED, 0)
  } catch (error) {
    // A folder can be opened, and not read.
    throw new RunnerError('USAGE', `--file: ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function refuseTwice(inputs: readonly Input[]): void {
  const seen = new Set<string>()
  for (const { field, about } of inputs) {
    if (seen.has(field) && about.list !== true)
      throw new RunnerError('USAGE', `--file: ${field} is one file, and was given twice`)
    seen.add(field)
  }
}

/** Fields that are lists grow with each of theirs. */
function assign(inputs: readonly Input[], refs: readonly FileRef[]): Assignment[] {
  const values = new Map<string, FileRef | FileRef[]>()
  for (const [i, { field, about }] of inputs.entries()) {
    const before = values.get(field)
    const list = Array.isArray(before) ? before : []
    values.set(field, about.list === true ? [...list, refs[i]!] : refs[i]!)
  }
  return [...values].map(([field, value]) => ({ path: [field], value }))
}

async function storeAll(inputs: readonly Input[], config: Config): Promise<StoredInputs> {
  if (inputs.length === 0) return { assignments: [], discard: async () => {} }
  const refs: FileRef[] = []
  await using stores = openStores(placesOf(config))
  try {
    for (const { path, about } of inputs) {
      const { types, maxBytes } = about
      const source = createReadStream(resolve(config.cwd, path))
      refs.push(await takeIn(stores.uploads, source, { fileName: basename(path), types, maxBytes }))
    }
  } catch (error) {
    await remove(config, refs)
    throw error
  }
  return {
    assignments: assign(inputs, refs),
    async discard(error) {
      const kind = redisErrorKind(error)
      if (kind !== 'connection' && kind !== 'timeout') await remove(config, refs)
    },
  }
}

async function remove(config: Config, refs: readonly FileRef[]): Promise<void> {
  await using stores = openStores(placesOf(config))
  // What cannot be removed now, the sweep removes.
  await Promise.allSettled(refs.map(ref => stores.uploads.store.remove(stores.of(ref).key)))
}
