/**
 * What lies where under `.runner/`, the folder of the private server: its data, logs, lock and two sockets.
 * The user process (embedded.ts) and the keeper (keeper.ts) both derive it from the folder's path alone.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** sun_path holds 108 bytes on Linux and 104 on macOS, with the final NUL; a longer path is refused or, worse, cut. */
const SOCKET_PATH_MAX = 103

export interface PrivateFolder {
  /** `.runner/` itself: the server's working folder and data. */
  readonly data: string
  readonly keeperSocket: string
  readonly serverSocket: string
  /** Held by the keeper as long as it lives. */
  readonly lock: string
  readonly serverLog: string
  readonly keeperLog: string
}

/** Makes `<cwd>/.runner/` where it is missing. Throws the file system's error; `cwd` itself is never made. */
export function preparePrivateFolder(cwd: string): PrivateFolder {
  // realpath: the same folder reached through a symlink must find the same server.
  const folder = privateFolder(join(realpathSync(cwd), '.runner'))
  makeFolder(folder.data)
  try {
    writeFileSync(join(folder.data, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const sockets = join(folder.keeperSocket, '..')
  if (sockets !== folder.data) {
    makeFolder(sockets)
    // The name can be guessed and the place is open to all: only a folder that nobody else can enter will do.
    const { uid, mode } = lstatSync(sockets)
    if (uid !== process.getuid?.() || (mode & 0o170_077) !== 0o040_000)
      throw new Error(`${sockets} is not a folder that belongs to this user alone`)
  }
  return folder
}

/** The paths below `data`, an absolute `.runner/` folder. Touches nothing. */
export function privateFolder(data: string): PrivateFolder {
  const sockets =
    Buffer.byteLength(join(data, 'keeper.sock')) <= SOCKET_PATH_MAX
      ? data
      : join(tmpdir(), `runner-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`)
  return {
    data,
    keeperSocket: join(sockets, 'keeper.sock'),
    serverSocket: join(sockets, 'redis.sock'),
    lock: join(data, 'keeper.lock'),
    serverLog: join(data, 'redis.log'),
    keeperLog: join(data, 'keeper.log'),
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
    // mkdir's mode is cut by the umask, which may be stricter than the server can work with.
    chmodSync(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
