/** What `runner serve` does with an upload, without the job that it ends in. */
import { resolveConfig } from '../../../src/config.ts'
import { receiveUpload } from '../../../src/gateway/upload/receive.ts'
import { UploadSlots } from '../../../src/gateway/upload/slots.ts'
import { keepYoungSpaceSmall } from '../../../src/gateway/young-space.ts'
import { Events } from '../../../src/observe/events.ts'
import { openStores } from '../../../src/store/stores.ts'
import type { Place, Receive } from '../ways.ts'

export async function open({ place, folder }: Place): Promise<Receive> {
  keepYoungSpaceSmall()
  const config = await resolveConfig({ cwd: folder, env: {}, flags: { store: place } })
  const limits = config.uploads
  const slots = new UploadSlots(limits)
  const reception = {
    target: openStores(config).uploads,
    limits,
    slots,
    fields: { file: {} },
    caller: { name: 'bench', uploads: limits.concurrent },
    signal: new AbortController().signal,
    events: new Events(),
  }
  return async request => (await receiveUpload(request, reception)).files['file']
}
