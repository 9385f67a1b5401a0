/** The setting `scaling` for `runner serve`: what the config file says of each queue, within what its groups can be. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { Group } from './plan.ts'

type Scaling = Config['scaling']

/**
 * The variable takes the place of the whole setting in the config file, so all of that is in it. `maxReplicas` of a
 * queue that several groups work is what they may have together. Throws CONFIG_INVALID where that is less than the
 * least that is wanted.
 */
export function queueScaling(
  environment: string,
  groups: readonly Pick<Group, 'queues' | 'maxReplicas'>[],
  { scaling, minReplicas, maxReplicas }: Pick<Config, 'scaling' | 'minReplicas' | 'maxReplicas'>,
): Scaling {
  const planned: Scaling = { ...scaling }
  const most = new Map<string, number>()
  for (const group of groups)
    for (const { name, concurrency } of group.queues) {
      const together = (most.get(name) ?? 0) + group.maxReplicas
      most.set(name, together)
      const own = scaling[name] ?? {}
      const allowed = Math.min(together, own.maxReplicas ?? maxReplicas ?? Infinity)
      planned[name] = { ...own, maxReplicas: allowed, concurrency }
    }
  for (const name of most.keys()) {
    const least = scaling[name]?.minReplicas ?? minReplicas
    const allowed = planned[name]?.maxReplicas ?? Infinity
    if (least > allowed)
      throw new RunnerError(
        'CONFIG_INVALID',
        `k8s.${environment}: the queue ${name} wants minReplicas ${least}, and may have ${allowed}`,
        { hint: 'raise maxReplicas of its group, or lower minReplicas' },
      )
  }
  return planned
}
