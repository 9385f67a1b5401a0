/**
 * What sign-ins of the dashboard are signed with: one key of the prefix, so that each `runner serve` knows those of the
 * others, and they outlive a restart. Who can read it can read every queue already. To sign everybody out, delete it.
 */
import { randomBytes } from 'node:crypto'
import type { Client } from './client.ts'

const BYTES = 32

/** Rejects where the user of Redis may only read, and nobody has made one. */
export async function sharedSessionKey(client: Client, prefix: string): Promise<Buffer> {
  const key = `${prefix}:runner:session-key`
  const there = await client.get(key)
  if (there !== null) return Buffer.from(there, 'base64url')
  const made = randomBytes(BYTES).toString('base64url')
  // Whoever is first decides.
  await client.set(key, made, 'NX')
  return Buffer.from((await client.get(key)) ?? made, 'base64url')
}
