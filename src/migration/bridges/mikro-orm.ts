/** `bullmq-runner/mikro-orm`: `tx` is a fork of the EntityManager, in a transaction of its own. */
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import type { Bridge } from '../bridge.ts'

interface SqlManager {
  execute(sql: string, params: unknown[], method: 'all'): Promise<unknown[]>
}

/** `orm`: or what makes it, called when it is first needed. */
export function mikroOrm<Em extends EntityManager>(
  orm: Pick<MikroORM, 'em'> | (() => Promise<MikroORM>),
): Bridge<Em> {
  let opened: Promise<Pick<MikroORM, 'em'>> | undefined
  const open = () => {
    opened ??= Promise.resolve(typeof orm === 'function' ? orm() : orm)
    // The next one tries again.
    opened.catch(() => (opened = undefined))
    return opened
  }
  return {
    placeholders: '?',
    transaction: async work =>
      (await open()).em
        .fork()
        .transactional(em =>
          work(em as unknown as Em, (sql, params) =>
            (em as unknown as SqlManager).execute(sql, [...params], 'all'),
          ),
        ),
    // What a row has changed is flushed with its savepoint: it fails there, and not at the end with all others.
    nested: (em, work) => em.transactional(inner => work(inner)),
  }
}
