/** Settings that the definitions of this package need where they run: set once by the executor that loads them. */

export interface ExecutorSettings {
  /** URL by name; the one that is used unless another is named is 'default'. */
  databases: Record<string, string>
  /** Where files are: the settings `store` and `stores`, and the folder that `dir:` belongs to. */
  files?: FilePlaces
}

export interface FilePlaces {
  cwd: string
  store: string
  stores: Readonly<Record<string, string>>
}

let settings: ExecutorSettings = { databases: {} }

export function setExecutorSettings(given: ExecutorSettings): void {
  settings = given
}

export function executorSettings(): ExecutorSettings {
  return settings
}

/** The same object each time: stores are kept open by it. Throws where nothing reads files. */
export function filePlaces(): FilePlaces {
  if (settings.files === undefined) throw new Error('whoever loads this job has said nothing of files')
  return settings.files
}
