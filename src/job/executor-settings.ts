/** Settings that the definitions of this package need where they run: set once by the executor that loads them. */

export interface ExecutorSettings {
  /** URL by name; the one that is used unless another is named is 'default'. */
  databases: Record<string, string>
}

let settings: ExecutorSettings = { databases: {} }

export function setExecutorSettings(given: ExecutorSettings): void {
  settings = given
}

export function executorSettings(): ExecutorSettings {
  return settings
}
