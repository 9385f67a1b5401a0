/** The job that `runner verify` has its replicas run, under three names: the fleet remembers by name who blocked. */
import { job } from '../job/define.ts'
import { canary, type Act } from './canary.ts'

export default job({
  queue: 'verify',
  run: ctx => canary({ id: ctx.id, fence: ctx.fence }, ctx.args as Act),
})
