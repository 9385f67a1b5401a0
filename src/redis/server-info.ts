/** What a server says of itself, as far as this user may ask: an ACL or a managed service may forbid it. */
import { Redis } from 'ioredis'
import { messageOf } from '../errors.ts'
import type { Client } from './client.ts'

/** Fields of INFO by name. */
export type Info = ReadonlyMap<string, string>

/** The servers that hold keys: one, or each primary of a Cluster. */
export function primariesOf(client: Client): Redis[] {
  return client instanceof Redis ? [client] : client.nodes('master')
}

/** undefined: forbidden. */
export async function readInfo(node: Redis): Promise<Info | undefined> {
  const text = await unlessForbidden(node.info())
  return text === undefined ? undefined : new Map(text.split(/\r?\n/).map(line => splitOnce(line)))
}

/** CONFIG GET of one setting. undefined: forbidden, or this server has no such setting. */
export async function readSetting(node: Redis, name: string): Promise<string | undefined> {
  const pair = await unlessForbidden(node.config('GET', name))
  return pair?.[1]
}

/** undefined: by the ACL of this user, or since a managed service does not offer the command at all. */
export async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (/NOPERM|unknown (sub)?command/i.test(messageOf(error))) return undefined
    throw error
  }
}

function splitOnce(line: string): [string, string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
}
