/**
 * What the HorizontalPodAutoscaler (autoscaling/v2) makes of an external metric with an AverageValue: the arithmetic of
 * Kubernetes' pkg/controller/podautoscaler/horizontal.go, without its API. Times in seconds, of whatever clock.
 */

interface Policy {
  type: 'Pods' | 'Percent'
  value: number
  periodSeconds: number
}

interface Rules {
  stabilizationWindowSeconds: number
  policies: readonly Policy[]
  selectPolicy: 'Max' | 'Min'
}

export interface HpaSpec {
  minReplicas: number
  maxReplicas: number
  /** Of the ratio of what is to what ought to be: within it nothing is done. */
  tolerance: number
  scaleUp: Rules
  scaleDown: Rules
}

interface Change {
  at: number
  by: number
}

export class Hpa {
  readonly #spec: HpaSpec
  #recommended: { at: number; replicas: number }[] = []
  #ups: Change[] = []
  #downs: Change[] = []

  constructor(spec: HpaSpec) {
    this.#spec = spec
  }

  /** One sync: how many replicas there are to be. `metric` is the sum over all pods, `target` that of one. */
  sync(now: number, current: number, metric: number, target: number): number {
    const { minReplicas, maxReplicas } = this.#spec
    const raw = this.#fromMetric(current, metric, target)
    const stable = this.#stabilize(now, current, raw)
    const limited = this.#limit(now, current, stable)
    const replicas = Math.min(maxReplicas, Math.max(minReplicas, limited))
    if (replicas > current) this.#ups.push({ at: now, by: replicas - current })
    if (replicas < current) this.#downs.push({ at: now, by: current - replicas })
    return replicas
  }

  #fromMetric(current: number, metric: number, target: number): number {
    const ratio = metric / (target * current)
    return Math.abs(1 - ratio) <= this.#spec.tolerance ? current : Math.ceil(metric / target)
  }

  /** Up to the least that was recommended within the window for that, down to the most within the other. */
  #stabilize(now: number, current: number, raw: number): number {
    const { scaleUp, scaleDown } = this.#spec
    if (this.#recommended.length === 0) this.#recommended.push({ at: now, replicas: current })
    const within = (window: number) =>
      this.#recommended.filter(({ at }) => at > now - window).map(({ replicas }) => replicas)
    const up = Math.min(raw, ...within(scaleUp.stabilizationWindowSeconds))
    const down = Math.max(raw, ...within(scaleDown.stabilizationWindowSeconds))
    const longest = Math.max(scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds)
    this.#recommended = this.#recommended.filter(({ at }) => at > now - longest)
    this.#recommended.push({ at: now, replicas: raw })
    return Math.min(Math.max(current, up), Math.max(down, Math.min(current, up)))
  }

  #limit(now: number, current: number, wanted: number): number {
    if (wanted === current) return current
    const isUp = wanted > current
    const { policies, selectPolicy } = isUp ? this.#spec.scaleUp : this.#spec.scaleDown
    const proposals = policies.map(({ type, value, periodSeconds }) => {
      // Counted from what there was when the period began.
      const start =
        current - changed(this.#ups, now - periodSeconds) + changed(this.#downs, now - periodSeconds)
      if (type === 'Pods') return start + (isUp ? value : -value)
      return isUp ? Math.ceil(start * (1 + value / 100)) : Math.trunc(start * (1 - value / 100))
    })
    // The policy that changes most, or least.
    const isMost = isUp === (selectPolicy === 'Max')
    const allowed = isMost ? Math.max(...proposals) : Math.min(...proposals)
    return isUp ? Math.min(wanted, Math.max(allowed, current)) : Math.max(wanted, Math.min(allowed, current))
  }
}

const changed = (changes: readonly Change[], since: number): number =>
  changes.reduce((sum, { at, by }) => (at > since ? sum + by : sum), 0)
