/**
 * `node test/helpers/ensure-ceph.ts`, which `npm run test:s3` runs first: Ceph's programs, where there is an apt-get to
 * fetch them. Elsewhere its tests are skipped, and say so. Nothing is installed and no service is started.
 */
import { messageOf } from '../../src/errors.ts'
import { findCeph, hasApt, unpackCeph } from './ceph-programs.ts'

if (findCeph() === undefined) {
  const started = performance.now()
  try {
    if (!hasApt()) throw new Error('there is no apt-get')
    console.error("ceph: not found, unpacking Debian's packages (60 MB)")
    unpackCeph()
    console.error(`ceph: unpacked in ${Math.round((performance.now() - started) / 1_000)} s`)
  } catch (error) {
    console.error(
      `ceph: not found; its tests are skipped (sudo apt-get install ceph-mon ceph-osd radosgw): ${messageOf(error)}`,
    )
  }
}
