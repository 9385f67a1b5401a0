import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DirectoryStore } from '../../src/store/directory.ts'
import { takeIn } from '../../src/store/intake.ts'
import { KEY, filesIn, holdsItsContract, named } from './contract.ts'

let root: string
let folders = 0
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), 'store-'))))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const filesUnder = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => !entry.isDirectory())
        .map(entry => entry.name)
    : []

function fresh() {
  const folder = join(root, String(++folders))
  return { folder, store: new DirectoryStore(folder) }
}

describe('a folder', () => {
  const shared = { folder: '', store: undefined as unknown as DirectoryStore }
  beforeAll(() => void Object.assign(shared, fresh()))
  holdsItsContract(() => ({
    store: shared.store,
    place: `dir:${shared.folder}`,
    tamper: (key, bytes) => writeFileSync(join(shared.folder, key), bytes),
    leftovers: () => filesUnder(shared.folder),
  }))

  it('is for its user alone', async () => {
    const { folder, store } = fresh()
    await takeIn(named(store), Readable.from([Buffer.from('a')]), { fileName: 'a' })
    const { key } = (await filesIn(store))[0]!
    expect(statSync(join(folder, key)).mode & 0o777).toBe(0o600)
    for (let at = dirname(join(folder, key)); at !== root; at = dirname(at))
      expect(statSync(at).mode & 0o777, at).toBe(0o700)
  })

  it('follows no link within it', async () => {
    const { folder, store } = fresh()
    const outside = join(root, 'outside')
    mkdirSync(outside, { recursive: true })
    writeFileSync(join(outside, 'secret'), 'secret')
    mkdirSync(join(folder, dirname(KEY)), { recursive: true })
    symlinkSync(join(outside, 'secret'), join(folder, KEY))
    await expect(store.read(KEY)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await filesIn(store)).toEqual([])
    rmSync(join(folder, '2026/11'), { recursive: true })
    symlinkSync(outside, join(folder, '2026/11'))
    mkdirSync(join(outside, '26'))
    writeFileSync(join(outside, '26', KEY.slice(11)), 'secret')
    await expect(store.read(KEY)).rejects.toThrow('is a link, or within one')
    await expect(store.remove(KEY)).rejects.toThrow('is a link, or within one')
    expect(await filesIn(store)).toEqual([])
    expect(existsSync(join(outside, '26', KEY.slice(11)))).toBe(true)
  })

  it('may itself be a link', async () => {
    const { folder } = fresh()
    mkdirSync(join(root, 'elsewhere'))
    symlinkSync(join(root, 'elsewhere'), folder)
    const store = new DirectoryStore(folder)
    await takeIn(named(store), Readable.from([Buffer.from('a')]), { fileName: 'a' })
    expect(await filesIn(store)).toHaveLength(1)
  })

  it('says that its disk is full, and leaves nothing on it', async () => {
    // The limit of a process on the size of files stands for the disk.
    const { folder } = fresh()
    const child = spawn(
      'sh',
      ['-c', `ulimit -f 2048; exec "$0" "$1" "$2" 1 4000000`, process.execPath, WRITER, folder],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    expect(said.toString()).toMatch(/^STORE_FAILED cannot write to .*(EFBIG|ENOSPC)/)
    await once(child, 'close')
    expect(filesUnder(folder)).toEqual([])
  })

  it('sweeps what a killed process has left, and nothing else', async () => {
    const { folder, store } = fresh()
    const child = spawn(process.execPath, [WRITER, folder, '20', '200000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // Some of them are whole, the others are in the middle.
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const parts = filesUnder(folder).filter(name => name.endsWith('.part'))
    expect(parts.length).toBeGreaterThan(0)
    const whole = await filesIn(store)
    expect(whole.every(({ bytes }) => bytes === 200_000)).toBe(true)
    // A minute ago they may be those of somebody who is at work.
    expect(await store.sweep(Date.now() - 60_000)).toBe(0)
    expect(await store.sweep(Date.now() + 60_000)).toBe(parts.length)
    expect(filesUnder(folder).length).toBe(whole.length)
    expect(await filesIn(store)).toEqual(whole)
  })

  it('removes the empty folder of a day that is over, and keeps that of today', async () => {
    const { folder, store } = fresh()
    await takeIn(named(store), Readable.from([Buffer.from('a')]), { fileName: 'a' })
    const { key } = (await filesIn(store))[0]!
    await store.remove(key)
    mkdirSync(join(folder, '2020/01/02'), { recursive: true })
    mkdirSync(join(folder, '2020/01/03'), { recursive: true })
    const kept = join(folder, '2020/01/03', KEY.slice(11))
    writeFileSync(kept, 'a')
    utimesSync(kept, 0, 0)
    await store.sweep(Date.now())
    expect(existsSync(join(folder, dirname(key)))).toBe(true)
    expect(existsSync(join(folder, '2020/01/02'))).toBe(false)
    expect(existsSync(kept)).toBe(true)
  })
})

const WRITER = fileURLToPath(new URL('./writer-process.ts', import.meta.url))
