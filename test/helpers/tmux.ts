/** A terminal of a given size that keys can be sent to and that can be looked at. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { BINARY, cleanEnv } from './runner.ts'

export const hasTmux = spawnSync('tmux', ['-V']).status === 0

export class Tmux implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'test-tmux-'))
  readonly #socket = join(this.#dir, 'socket')

  /** `args` of `runner`. */
  constructor(args: string[], columns: number, rows: number, cwd: string) {
    const line = [process.execPath, BINARY, ...args].map(word => `'${word}'`).join(' ')
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      '-c',
      cwd,
      line,
    )
  }

  get screen(): string {
    return this.#tmux('capture-pane', '-p')
  }

  /** As tmux names keys: 'Tab', 'Enter', 'j'. */
  keys(...keys: string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  async until(shown: string | RegExp): Promise<string> {
    const matcher = typeof shown === 'string' ? expect.stringContaining(shown) : expect.stringMatching(shown)
    await expect.poll(() => this.screen, { interval: 100 }).toEqual(matcher)
    return this.screen
  }

  get isOver(): boolean {
    return spawnSync('tmux', ['-S', this.#socket, 'has-session']).status !== 0
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], {
      encoding: 'utf8',
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }
}
