/**
 * What a payload holds in the place of a file: where its bytes are, and what they were when they were stored. Redis never
 * holds the bytes.
 */
export interface FileRef {
  /** `<store>/<key>`: the name of a store of this project, and the key there. */
  $file: string
  /** Of all bytes, 64 hex digits. */
  sha256: string
  bytes: number
  /** Media type that the bytes were found to have, or the one that was declared where they do not tell. */
  type: string
  /** As the client called it, without control characters. For people: never a path, never a key. */
  name: string
}

/** No other key is made, and none is read or removed: what a client sends is in none of it. */
const KEY = /^\d{4}\/\d{2}\/\d{2}\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const STORE = /^[a-z][a-z0-9-]{0,30}$/

/** Undefined: it names no file. */
export function readFilePlace(place: string): { store: string; key: string } | undefined {
  const slash = place.indexOf('/')
  const [store, key] = [place.slice(0, slash), place.slice(slash + 1)]
  return slash > 0 && STORE.test(store) && KEY.test(key) ? { store, key } : undefined
}

/** Whether a media type is one of these: 'text/csv', or 'image/*' for all of a kind. */
export const isOfType = (type: string, types: readonly string[]): boolean =>
  types.some(one => (one.endsWith('/*') ? type.startsWith(one.slice(0, -1)) : one === type))

/** All places that the JSON of a payload names, each once. Cheap where there are none. */
export function placesIn(json: string): string[] {
  if (!json.includes('"$file"')) return []
  const named = [...json.matchAll(/"\$file"\s*:\s*"([^"\\]+)"/g)].map(([, place = '']) => place)
  return [...new Set(named)].filter(place => readFilePlace(place) !== undefined)
}
