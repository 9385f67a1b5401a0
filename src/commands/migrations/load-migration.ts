/** A migration of this project, imported here. */
import { existsSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { placesOf, type Config } from '../../config.ts'
import { RunnerError, messageOf } from '../../errors.ts'
import { defaultExport } from '../../job/default-export.ts'
import { MIGRATION, isJobDefinition } from '../../job/define.ts'
import { setExecutorSettings } from '../../job/executor-settings.ts'
import { IMPORT_TIMEOUT } from '../../job/import-deadline.ts'
import { openDatabase } from '../../migration/databases.ts'
import { withArgs, type Migration, type MigrationFile } from '../../migration/definition.ts'
import { estimateOf } from '../../migration/estimate.ts'
import { findJob } from '../../enqueue/job-files.ts'

/** Throws USAGE for a file that exports something else. */
export async function importMigration(
  { name, file }: { name: string; file: string },
  payload: unknown,
): Promise<Migration> {
  const exported = await defaultExport(file, IMPORT_TIMEOUT)
  const inFile = isJobDefinition(exported) ? (exported[MIGRATION] as MigrationFile | undefined) : undefined
  if (inFile === undefined)
    throw new RunnerError('USAGE', `${name} is no migration`, { hint: 'export default migration({ ... })' })
  return withArgs({ ...inFile, name, file }, payload)
}

/** `name`: or a file. `data`: JSON of its arguments. */
export async function loadMigration(config: Config, name: string, data: string) {
  const path = resolve(config.cwd, name)
  const found =
    extname(name) !== '' && existsSync(path)
      ? { name: basename(name, extname(name)), file: path }
      : findJob(config, name)
  const payload = parse(data)
  // Its source may be a stored file.
  setExecutorSettings({ databases: {}, files: placesOf(config) })
  const migration = await importMigration(found, payload)
  const { database = 'default', shards } = migration
  return {
    database,
    hasOrm: migration.orm !== undefined,
    order: { file: found.file, name: found.name, database, payload, shards },
    /** Rows that it has before it, in about; 1 where that is not known. */
    estimate: async (url: string) => {
      const db = await openDatabase(database, { [database]: url })
      try {
        return (await estimateOf(migration, db)) ?? 1
      } finally {
        await db.close()
      }
    },
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data) as unknown
  } catch (error) {
    throw new RunnerError('USAGE', `--data: ${messageOf(error)}`)
  }
}
