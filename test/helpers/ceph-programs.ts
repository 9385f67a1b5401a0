/**
 * The programs of Ceph: the machine's own, or Debian's packages, unpacked into a folder of ours. Unpacked and not
 * installed: that takes a fifth of the time, needs no rights, and no daemon of a system comes along.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'monmaptool', 'osdmaptool', 'radosgw', 'radosgw-admin']
const PACKAGES = ['ceph-base', 'ceph-common', 'ceph-mon', 'ceph-osd', 'radosgw']
/** Of what these need: not the tools for disks, and nothing in Python. */
const NEEDED = /^Inst ((?:ceph|rados|lib)\S*)/gm
const UNPACKED = join(tmpdir(), `test-ceph-programs-${userInfo().uid}`)

export interface CephPrograms {
  /** PATH, and where libraries are. */
  env: NodeJS.ProcessEnv
  /** Settings that say where their plugins are. */
  settings: Record<string, string>
}

/** Undefined: they are nowhere. */
export function findCeph(): CephPrograms | undefined {
  const path = process.env['PATH'] ?? ''
  const isIn = (folder: string) => PROGRAMS.every(program => existsSync(join(folder, program)))
  if (path.split(delimiter).some(isIn)) return { env: {}, settings: {} }
  const folder = join(UNPACKED, 'usr/bin')
  if (!isIn(folder)) return undefined
  const libraries = librariesIn(UNPACKED)
  return {
    env: {
      PATH: `${folder}${delimiter}${path}`,
      LD_LIBRARY_PATH: [
        libraries,
        join(libraries, 'ceph'),
        join(UNPACKED, 'lib', libraries.split('/').at(-1) as string),
      ].join(':'),
    },
    settings: {
      'plugin dir': join(libraries, 'ceph'),
      'erasure code dir': join(libraries, 'ceph/erasure-code'),
      'osd class dir': join(libraries, 'rados-classes'),
    },
  }
}

/** Fetches and unpacks them where apt-get is. Throws what it said. */
export function unpackCeph(): void {
  const dir = mkdtempSync(join(tmpdir(), 'test-unpacking-'))
  try {
    const apt = (...args: string[]) => execFileSync('apt-get', args, { cwd: dir, encoding: 'utf8' })
    const plan = () => apt('install', '--simulate', '--no-install-recommends', ...PACKAGES)
    let planned: string
    try {
      planned = plan()
    } catch {
      // An image has no lists of packages.
      apt('update')
      planned = plan()
    }
    apt('download', ...Array.from(planned.matchAll(NEEDED), ([, name]) => name as string))
    const root = join(dir, 'root')
    mkdirSync(root)
    for (const file of readdirSync(dir).filter(name => name.endsWith('.deb')))
      execFileSync('dpkg', ['-x', file, root], { cwd: dir })
    rmSync(UNPACKED, { recursive: true, force: true })
    renameSync(root, UNPACKED)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export const hasApt = (): boolean => spawnSync('apt-get', ['--version']).status === 0

/** Debian's are in a folder that is named after the processor. */
function librariesIn(root: string): string {
  const folder = join(root, 'usr/lib')
  const own = readdirSync(folder).find(name => existsSync(join(folder, name, 'ceph/libceph-common.so.2')))
  return join(folder, own ?? '')
}
