/** What metrics read of a replica at the moment that they are asked for: by interface, for observe knows no fleet. */
export interface ReplicaView {
  /** Whether a job of this name has a handler here. */
  isHandler(name: string): boolean
  /** Jobs at once and runs there are, by queue. */
  readonly slots: Record<string, number>
  readonly slotsUsed: Record<string, number>
  readonly executors: readonly { id: number; state: 'booting' | 'ready' | 'ending' | 'ended' }[]
  /** Executors whose event loop is held longer than `--block-warn` just now. */
  readonly blocked: number
  /** Executors inside native code that were given up. */
  readonly abandoned: number
  /** It takes no more jobs. */
  readonly draining: boolean
  /** Bytes, with the processes of its executors. */
  residentBytes(): Promise<number>
}
