/** Whose the schedules of a project are: another service with the same Redis and prefix prunes none of them. */
import type { Config } from '../../config.ts'
import { packageName } from '../nearest-package.ts'

const NOBODY = 'runner'

export const ownerOf = ({ scheduleOwner, cwd }: Pick<Config, 'scheduleOwner' | 'cwd'>): string =>
  scheduleOwner ?? packageName(cwd) ?? NOBODY
