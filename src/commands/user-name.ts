/** Who gives a command, for what is written down with it. */
import { userInfo } from 'node:os'

/** In a container a process may run as a user that has no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
