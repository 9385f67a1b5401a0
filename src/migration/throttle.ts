/**
 * What makes a run wait: any signal wins, and its reason is shown. What cannot be told holds, too. One slice of all
 * replicas looks, at most once a second; the others read in the ledger what it saw. A hold ends the slice between two
 * batches, so that nothing is locked while it lasts. After gh-ost: its throttle-query and throttle-http mean the same.
 */
import { RunnerError, messageOf } from '../errors.ts'
import type { HoldKind } from '../job/part.ts'
import { formatMilliseconds, milliseconds, type Duration } from '../units.ts'
import type { Database } from './database.ts'
import type { Ledger } from './ledger.ts'

/** Milliseconds between two looks, and of one look. */
const EVERY = 1_000
const PATIENCE = 5_000

export interface ThrottleSignal {
  /** Of its reason: 'replica lag'. */
  readonly name: string
  /** As metrics count it. Default 'other'. */
  readonly kind?: HoldKind
  /** Why the run has to wait; undefined: it has not. `maxLag` in milliseconds, of `migrations set`. */
  look(db: Database, maxLag: number | null): Promise<string | undefined>
}

/** PostgreSQL, asked on the primary: holds while one of its replicas is so far behind in replaying. */
export function maxLag(most: Duration): ThrottleSignal {
  const own = milliseconds(most)
  return {
    name: 'replica lag',
    kind: 'replica_lag',
    async look(db, given) {
      if (db.dialect.name !== 'postgres')
        throw new RunnerError('CONFIG_INVALID', 'maxLag() is for PostgreSQL', {
          hint: 'use query() with what tells the lag there',
        })
      const [row] = await db.query<{ lag: string | null; hidden: string }>(
        `select extract(epoch from max(replay_lag)) * 1000 as lag, count(*) filter (where state is null) as hidden
           from pg_stat_replication`,
      )
      if (Number(row?.hidden) > 0) throw new Error('this user may not see replicas: grant pg_monitor to it')
      const lag = Number(row?.lag ?? 0)
      return lag > (given ?? own) ? `is ${formatMilliseconds(Math.round(lag))}` : undefined
    },
  }
}

/** Holds while the first value of the first row is neither 0, false, null nor ''; a text is the reason. */
export function query(sql: string): ThrottleSignal {
  return {
    name: 'query',
    kind: 'query',
    async look(db) {
      const [row] = await db.query(sql)
      const [value] = row === undefined ? [] : Object.values(row)
      const goes =
        value === undefined || value === null || value === false || value === '' || Number(value) === 0
      return goes ? undefined : `says ${typeof value === 'string' ? value : JSON.stringify(value)}`
    },
  }
}

/** Holds while GET answers with anything but 200. Name and password in it go as basic authorization. */
export function http(url: string): ThrottleSignal {
  const { origin, pathname, username, password, search } = new URL(url)
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const headers =
    user === ':' ? undefined : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  return {
    // Without what may be a secret: it is shown with the run.
    name: `${origin}${pathname}`,
    kind: 'http',
    async look() {
      const signal = AbortSignal.timeout(PATIENCE)
      const { status, body } = await fetch(`${origin}${pathname}${search}`, {
        signal,
        ...(headers && { headers }),
      })
      await body?.cancel()
      return status === 200 ? undefined : `answers ${status}`
    },
  }
}

export interface Hold {
  reason: string
  /** Undefined: it is what another slice saw. */
  kind: HoldKind | undefined
}

/** Why the run has to wait now; undefined: it has not. */
export async function holdOf(
  { db, runs }: Ledger,
  signals: readonly ThrottleSignal[],
  run: string,
): Promise<Hold | undefined> {
  if (signals.length === 0) return undefined
  const isOurs = await runs.takeLook(run, EVERY)
  const { held, maxLag: most } = await runs.get(run)
  if (!isOurs) return held === null ? undefined : { reason: held, kind: undefined }
  const holds = await Promise.all(signals.map(signal => seen(signal, db, most)))
  const hold = holds.find(one => one !== undefined)
  const reason = hold?.reason ?? null
  if (held !== reason) await runs.hold(run, reason)
  return hold
}

async function seen(signal: ThrottleSignal, db: Database, most: number | null): Promise<Hold | undefined> {
  const { name, kind = 'other' } = signal
  try {
    const reason = await signal.look(db, most)
    return reason === undefined ? undefined : { reason: `${name} ${reason}`, kind }
  } catch (error) {
    return { reason: `${name} cannot be told: ${messageOf(error)}`, kind }
  }
}
