import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findServerBinary, installCommand, typedCommand } from '../../src/redis/server-binary.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'test-path-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function program(folder: string, name: string, mode = 0o755): string {
  const path = join(dir, folder, name)
  mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, mode)
  return path
}

describe('findServerBinary', () => {
  it('takes the first program on PATH, Valkey before Redis', () => {
    program('a', 'redis-server')
    const path = program('b', 'valkey-server')
    program('c', 'valkey-server')
    const searchPath = ['a', 'b', 'c'].map(folder => join(dir, folder)).join(delimiter)
    expect(findServerBinary(searchPath)).toEqual({ name: 'valkey-server', path })
  })

  it('takes no folder and no file that cannot be run', () => {
    mkdirSync(join(dir, 'valkey-server'))
    program('', 'redis-server', 0o644)
    expect(findServerBinary(dir)?.path.startsWith(dir)).not.toBe(true)
  })
})

describe('installCommand', () => {
  it.each([
    ['apt-get', 'apt-get install -y --no-install-recommends redis-server', true],
    ['apk', 'apk add --no-cache redis', true],
    ['dnf', 'dnf install -y valkey || dnf install -y redis', true],
  ])('knows %s', (name, command, needsRoot) => {
    program('', name)
    expect(installCommand(dir)).toMatchObject({ command, needsRoot })
  })

  it('is typed with sudo by those who need it, each part of it', () => {
    const typed = typedCommand({ command: 'a install x || a install y', needsRoot: true })
    const root = process.getuid?.() === 0
    expect(typed).toBe(root ? 'a install x || a install y' : 'sudo a install x || sudo a install y')
    expect(typedCommand({ command: 'brew install redis', needsRoot: false })).toBe('brew install redis')
    // On a fresh Debian there is nothing to install before the lists are fetched.
    const withLists = typedCommand({ command: 'install x', refresh: 'update', needsRoot: true })
    expect(withLists).toBe(root ? 'update && install x' : 'sudo update && sudo install x')
  })
})
