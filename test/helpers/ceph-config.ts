/** What a Ceph of one host that keeps nothing is told: test/helpers/ceph.ts. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

export interface CephPlace {
  dir: string
  fsid: string
  /** Of the monitor. */
  port: number
  /** Added. */
  settings: Record<string, string>
}

/** One copy of everything, on one OSD; the monitor agrees with itself at once. */
export function cephConfig({ dir, fsid, port, settings }: CephPlace): string {
  const all = {
    fsid,
    'mon host': `v2:127.0.0.1:${port}/0`,
    'mon initial members': 'a',
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    keyring: join(dir, 'keyring'),
    'run dir': dir,
    'admin socket': '',
    'pid file': '',
    'log file': join(dir, '$name.log'),
    'mon data': join(dir, 'mon'),
    'osd data': join(dir, 'osd'),
    'osd objectstore': 'memstore',
    'memstore device bytes': 4 * 1024 ** 3,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pg autoscale mode': 'off',
    'osd crush chooseleaf type': 0,
    'mon allow pool size one': true,
    'mon max pg per osd': 1_000,
    'paxos propose interval': 0.05,
    'paxos min wait': 0.01,
    'mon tick interval': 1,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  return `[global]\n${lines.join('\n')}\n`
}

/** As ceph-authtool writes it: type 1 (AES), when it was made, how long it is, 16 bytes. `auth = none` does not do for a gateway. */
export function keyring(): string {
  const head = Buffer.alloc(12)
  head.writeUInt16LE(1, 0)
  head.writeUInt32LE(Math.floor(Date.now() / 1_000), 2)
  head.writeUInt16LE(16, 10)
  const key = Buffer.concat([head, randomBytes(16)]).toString('base64')
  const entry = (name: string, caps: Record<string, string>) =>
    [
      `[${name}]`,
      `key = ${key}`,
      ...Object.entries(caps).map(([of, allowed]) => `caps ${of} = "${allowed}"`),
      '',
    ].join('\n')
  return [
    entry('mon.', { mon: 'allow *' }),
    entry('client.admin', { mon: 'allow *', osd: 'allow *', mgr: 'allow *' }),
    entry('osd.0', { mon: 'allow profile osd', osd: 'allow *', mgr: 'allow profile osd' }),
  ].join('\n')
}
