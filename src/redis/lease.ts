/**
 * A lease is an open connection to the keeper's socket: as long as one is open, the private server lives.
 * The kernel closes it with its process, so even a SIGKILLed user gives it back.
 *
 *   user                         keeper
 *   connect  ------------------> counts one lease more
 *            <------------------ one JSON line, when the server is ready or cannot be started
 *   (open for the user's life)
 *   close    ------------------> counts one less; none left for a second: the server ends
 *
 * A connection that the keeper closes without an answer was made too late: it is ending. Start another keeper.
 */
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

/** What the keeper says, once per lease. */
export type KeeperAnswer =
  | { socket: string; keeper: number; pid: number; program: string }
  | { error: string }

/** Exit code of a keeper that found another one in charge. */
export const KEEPER_BUSY = 3
/** After the last lease is gone, the server stays for this long: commands in a row share it. */
export const LINGER_MS = 1_000
/** Nobody came at all: the one who started this keeper may be slow, or dead. */
export const FIRST_LEASE_MS = 5_000

/** A server with much data loads it first; longer than this is a fault. */
const ANSWER_MS = 120_000

export interface Lease {
  answer: KeeperAnswer
  connection: Socket
}

/**
 * undefined: no keeper is there, or it is ending. Throws when the socket belongs to another user.
 * `background`: do not keep this process alive while waiting.
 */
export async function askKeeper(path: string, background: boolean): Promise<Lease | undefined> {
  const connection = connect(path)
  if (background) connection.unref()
  connection.setEncoding('utf8').setTimeout(ANSWER_MS, () => connection.destroy())
  let text = ''
  try {
    await once(connection, 'connect')
    while (!text.includes('\n')) {
      const [chunk] = (await Promise.race([
        once(connection, 'data'),
        once(connection, 'close').then(() => []),
      ])) as string[]
      if (chunk === undefined) return undefined
      text += chunk
    }
  } catch (error) {
    connection.destroy()
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') throw error
    return undefined
  }
  // Nothing may follow. Reading goes on all the same, or the end of the keeper would go unnoticed.
  connection.setTimeout(0).resume().unref()
  connection.on('error', () => connection.destroy())
  return { answer: JSON.parse(text) as KeeperAnswer, connection }
}
