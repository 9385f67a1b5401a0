/** Before the first test: one Ceph for all files, or the reason why there is none, which is then what each test is skipped for. */
import type { TestProject } from 'vitest/node'
import { findCeph } from '../helpers/ceph-programs.ts'
import { startCeph } from '../helpers/ceph.ts'

export interface CephAccess {
  endpoint: string
  accessKeyId: string
  secretAccessKey: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Undefined: there is none, or these tests are run without it. */
    ceph: CephAccess | undefined
  }
}

export default async function setUp({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (findCeph() === undefined) {
    console.error("skipped: no Ceph on this machine, and no apt-get that has Debian's")
    provide('ceph', undefined)
    return undefined
  }
  const ceph = await startCeph()
  const { endpoint, accessKeyId, secretAccessKey } = ceph
  provide('ceph', { endpoint, accessKeyId, secretAccessKey })
  return async () => ceph[Symbol.asyncDispose]()
}
