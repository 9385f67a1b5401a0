/** The states of a job, as BullMQ names them, and where the jobs of each lie. */

interface Place {
  key: string
  kind: 'sorted' | 'list'
  /** Scores are when the job ended, in milliseconds since the epoch. */
  scored?: true
}

export const STATES = {
  active: [{ key: 'active', kind: 'list' }],
  // Of a queue that is paused they lie apart.
  waiting: [
    { key: 'wait', kind: 'list' },
    { key: 'paused', kind: 'list' },
  ],
  prioritized: [{ key: 'prioritized', kind: 'sorted' }],
  delayed: [{ key: 'delayed', kind: 'sorted' }],
  'waiting-children': [{ key: 'waiting-children', kind: 'sorted' }],
  failed: [{ key: 'failed', kind: 'sorted', scored: true }],
  completed: [{ key: 'completed', kind: 'sorted', scored: true }],
} as const satisfies Record<string, readonly Place[]>

export type State = keyof typeof STATES

export const STATE_NAMES = Object.keys(STATES) as State[]
