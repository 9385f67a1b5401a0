/** The stores of a project, by name. Each is opened when it is first needed, and once. */
import { resolve } from 'node:path'
import { RunnerError } from '../errors.ts'
import { readFilePlace, type FileRef } from '../file-ref.ts'
import { didYouMean } from '../suggestion.ts'
import { DirectoryStore } from './directory.ts'
import type { NamedStore } from './intake.ts'
import { openS3 } from './s3.ts'
import type { Store } from './store.ts'

/** What the settings say, as they are in `Config`. */
export interface Places {
  /** Folder that `dir:` belongs to. */
  cwd: string
  /** Of the store 'uploads'. */
  store: string
  stores: Readonly<Record<string, string>>
}

/** The one that uploads go to. */
const UPLOADS = 'uploads'

export interface Stores extends AsyncDisposable {
  readonly uploads: NamedStore
  readonly names: readonly string[]
  /** Throws CONFIG_INVALID for a name that there is not. */
  named(name: string): NamedStore
  /** Where a file is. Throws FILE_MISSING for what names none, and for a store that this project does not have. */
  of(ref: Pick<FileRef, '$file'> | string): { store: Store; key: string }
}

/** Throws CONFIG_INVALID. Nothing is reached yet. */
export function openStores({ cwd, store, stores }: Places): Stores {
  if (Object.hasOwn(stores, UPLOADS))
    throw new RunnerError('CONFIG_INVALID', `stores: the name ${UPLOADS} is that of the setting store`)
  const places = new Map([[UPLOADS, store], ...Object.entries(stores)])
  const opened = new Map<string, Store>()
  const openedAs = (name: string, place: string): Store => {
    const known = opened.get(name) ?? openPlace(place, cwd)
    opened.set(name, known)
    return known
  }
  // What is wrong with a place is said at the start, and not by the first upload.
  for (const [name, place] of places) openedAs(name, place)
  return {
    get uploads() {
      return { name: UPLOADS, store: openedAs(UPLOADS, store) }
    },
    names: [...places.keys()],
    named(name) {
      const place = places.get(name)
      if (place !== undefined) return { name, store: openedAs(name, place) }
      throw new RunnerError('CONFIG_INVALID', `no store is named ${name}`, didYouMean(name, places.keys()))
    },
    of(ref) {
      const text = typeof ref === 'string' ? ref : ref?.$file
      const place = typeof text === 'string' ? readFilePlace(text) : undefined
      if (place === undefined)
        throw new RunnerError('FILE_MISSING', `${JSON.stringify(text) ?? 'nothing'} names no stored file`, {
          hint: 'a reference is { $file, sha256, bytes, type, name }, as it is in the payload',
        })
      const at = places.get(place.store)
      if (at !== undefined) return { store: openedAs(place.store, at), key: place.key }
      throw new RunnerError('FILE_MISSING', `${text}: this project has no store ${place.store}`, {
        hint: `it has ${[...places.keys()].join(', ')}; name it in the setting stores`,
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...opened.values()].map(one => one[Symbol.asyncDispose]()))
    },
  }
}

const shared = new WeakMap<Places, Stores>()

/** The same ones for the same settings: those of an executor, which are open as long as it is there. */
export function sharedStores(places: Places): Stores {
  const known = shared.get(places) ?? openStores(places)
  shared.set(places, known)
  return known
}

function openPlace(place: string, cwd: string): Store {
  if (place.startsWith('dir:')) return new DirectoryStore(resolve(cwd, place.slice('dir:'.length)))
  return openS3(place)
}
