/**
 * Finds a Redis server program on this machine, and knows how to install one. No npm package ships the
 * binary, so the private server (embedded.ts), the tests and `npm run ensure-redis` all look here.
 * Node built-ins only: ensure.ts must answer in a few milliseconds.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Looked at after PATH: daemons are often not on a user's PATH, and Homebrew's folder is not on a GUI's. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']

export interface ServerBinary {
  name: 'valkey-server' | 'redis-server'
  /** Absolute path. */
  path: string
}

export interface InstallCommand {
  /** For `sh -c`, without sudo. */
  command: string
  /** Run before `command`; its failure is no failure, the package lists may do as they are. */
  refresh?: string
  needsRoot: boolean
}

/** First hit in `searchPath` (default: PATH), then in the usual folders; valkey-server wins over redis-server. */
export function findServerBinary(searchPath?: string): ServerBinary | undefined {
  for (const name of ['valkey-server', 'redis-server'] as const) {
    const path = findProgram(name, searchPath)
    if (path !== undefined) return { name, path }
  }
  return undefined
}

/** The command of the first package manager found here, or undefined: then only `--redis URL` is left. */
export function installCommand(searchPath?: string): InstallCommand | undefined {
  const has = (program: string) => findProgram(program, searchPath) !== undefined
  if (has('apt-get'))
    return {
      command: 'apt-get install -y --no-install-recommends redis-server',
      refresh: 'apt-get update',
      needsRoot: true,
    }
  if (has('apk')) return { command: 'apk add --no-cache redis', needsRoot: true }
  // Fedora 41 and RHEL 10 carry Valkey only, older ones Redis only.
  if (has('dnf')) return { command: 'dnf install -y valkey || dnf install -y redis', needsRoot: true }
  if (has('brew')) return { command: 'brew install redis', needsRoot: false }
  return undefined
}

/** What a person types, lists first: with sudo where the package manager wants root and we are not. */
export function typedCommand({ command, refresh, needsRoot }: InstallCommand): string {
  const whole = refresh === undefined ? command : `${refresh} && ${command}`
  const sudo = needsRoot && process.getuid?.() !== 0
  return sudo ? whole.replaceAll(/(^|\|\| |&& )/g, '$1sudo ') : whole
}

function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): string | undefined {
  return [...searchPath.split(delimiter), ...EXTRA_FOLDERS]
    .filter(folder => folder !== '')
    .map(folder => join(folder, name))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
