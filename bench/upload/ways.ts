/** The ways that uploads are taken in. Each file of ways/ is one that is usual, and is all that its process loads. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Place {
  /** As the setting `store` names it: `s3://files/in?endpoint=http://127.0.0.1:4000`. */
  place: string
  /** For what a way keeps on disk meanwhile. */
  folder: string
}

/** Takes one upload; resolves when its file is in the store, with what it knows of it. */
export type Receive = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

export const WAYS = {
  base64: 'base64 in JSON',
  'multer-memory': 'multer to memory, then S3',
  'multer-disk': 'multer to disk, then S3',
  'lib-storage': 'busboy to `@aws-sdk/lib-storage`',
  ours: '**this gateway**',
} as const

export type Way = keyof typeof WAYS

/** All but `runner serve`. */
export type UsualWay = Exclude<Way, 'ours'>

export const isWay = (name: string): name is Way => Object.hasOwn(WAYS, name)

export async function openWay(way: UsualWay, place: Place): Promise<Receive> {
  const { open } = (await import(`./ways/${way}.ts`)) as {
    open: (place: Place) => Promise<Receive> | Receive
  }
  return open(place)
}
