/**
 * A bucket in a process of its own, so that what it costs is not counted with the gateway.
 *
 *   node bench/upload/sink.ts '{"rate":10000000,"forget":true}'
 *
 * Says `{"endpoint"}` once it answers. It ends with its parent.
 */
import { startFakeS3, type FakeS3Options } from '../../test/helpers/fake-s3.ts'

const { endpoint } = await startFakeS3(JSON.parse(process.argv[2] ?? '{}') as FakeS3Options)
process.on('disconnect', () => process.exit())
process.send?.({ endpoint })
