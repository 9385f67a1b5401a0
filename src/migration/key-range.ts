/** A range of keys as the WHERE of a query that an index on the key serves. */
import type { Dialect } from './database.ts'
import type { Cursor, Range } from './source.ts'

/** `keys`: columns, quoted. `given`: parameters that the query has before these. '' when the range is everything. */
export function keyRange(
  { name }: Dialect,
  keys: readonly string[],
  { after, until }: Range,
  given = 0,
): { where: string; params: string[] } {
  const params: string[] = []
  const compare = name === 'mysql' ? byColumn : byRow
  const condition = (operator: '>' | '<=', cursor: Cursor | null) =>
    cursor === null
      ? []
      : [
          compare(
            keys,
            operator,
            cursor.map(value => `$${given + params.push(value)}`),
          ),
        ]
  const conditions = [...condition('>', after), ...condition('<=', until)]
  return { where: conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`, params }
}

/** The row of one key: parameters from $1. */
export function keyIs(keys: readonly string[]): string {
  return keys.map((column, i) => `${column} = $${i + 1}`).join(' and ')
}

type Compare = (keys: readonly string[], operator: '>' | '<=', values: readonly string[]) => string

/** (a, b) > (1, 2) */
const byRow: Compare = (keys, operator, values) =>
  keys.length === 1
    ? `${keys[0]} ${operator} ${values[0]}`
    : `(${keys.join(', ')}) ${operator} (${values.join(', ')})`

/** The same where no index is used for that: a >= 1 and (a > 1 or (a = 1 and b > 2)). */
const byColumn: Compare = (keys, operator, values) => {
  if (keys.length === 1) return byRow(keys, operator, values)
  const strict = operator === '>' ? '>' : '<'
  const from = (i: number): string =>
    i === keys.length - 1
      ? `${keys[i]} ${operator} ${values[i]}`
      : `(${keys[i]} ${strict} ${values[i]} or (${keys[i]} = ${values[i]} and ${from(i + 1)}))`
  return `${keys[0]} ${strict}= ${values[0]} and ${from(0)}`
}
