/** What is thought of a replica, by what its queues hold. */
import { describe, expect, it } from 'vitest'
import { judge, shouldFetch, type QueueFacts } from '../../src/fleet/verdict.ts'

const BOUND = 60_000

interface Given extends Partial<Omit<QueueFacts, 'backlog'>> {
  waiting?: number
  paused?: boolean
  limited?: 'concurrency' | 'rate'
}

/** Work waits, and all slots are free. */
function facts({ waiting = 12, paused = false, limited, ...rest }: Given = {}): QueueFacts {
  const backlog = { waiting, paused, limited }
  return { queue: 'mail', backlog, slots: 10, held: 0, sleepsForRate: false, stuck: 0, ...rest }
}

const wedged = facts({ held: 3, stuck: BOUND })

describe('judge', () => {
  it.each<[string, Given, string]>([
    ['idle', { waiting: 0 }, ''],
    ['working', { waiting: 0, held: 2 }, 'mail: 2 run'],
    ['working', { stuck: BOUND - 1 }, 'mail: 0 run, 12 wait'],
    ['saturated', { held: 10 }, 'mail: 12 wait, all 10 slots are taken'],
    ['paused', { paused: true }, 'mail: paused, 12 wait'],
    ['limited', { limited: 'concurrency' }, 'mail: 12 wait, as many run in all replicas as the queue lets'],
    ['limited', { limited: 'rate' }, 'mail: 12 wait for the rate limit of the queue'],
    ['limited', { sleepsForRate: true }, 'mail: 12 wait for the rate limit of the queue'],
    ['redis-down', { refusal: 'readonly' }, 'mail: Redis refuses: readonly'],
  ])('says %s of %o', (verdict, given, why) => {
    expect(judge([facts(given)], BOUND)).toMatchObject({ verdict, why })
    // However long nothing was fetched: each of them is a reason to fetch nothing.
    const stuck = { ...facts(given), stuck: 10 * BOUND }
    if (!shouldFetch(stuck)) expect(judge([stuck], BOUND).verdict).toBe(verdict)
  })

  it('says wedged from the bound on, why, and of which queue', () => {
    expect(judge([wedged], BOUND)).toEqual({
      verdict: 'wedged',
      why: 'mail: 12 wait, 7 of 10 slots are free, and nothing was fetched for 60 s',
      queue: 'mail',
    })
  })

  it('says of several queues what is worst', () => {
    const others = [facts({ waiting: 0 }), facts({ held: 10 }), facts({ refusal: 'oom' })]
    expect(judge([...others, wedged], BOUND).verdict).toBe('wedged')
    expect(judge(others, BOUND).verdict).toBe('redis-down')
    expect(judge(others.slice(0, 2), BOUND).verdict).toBe('saturated')
    expect(judge([], BOUND).verdict).toBe('idle')
  })
})
