import { expect, it } from 'vitest'
import { questionMarks, replacePlaceholders } from '../../../src/migration/databases/placeholders.ts'

it.each([
  ['a = $1 and b = $2', [1, 2], 'a = ? and b = ?', [1, 2]],
  ['b = $2 or a = $1 or c = $2', [1, 2], 'b = ? or a = ? or c = ?', [2, 1, 2]],
  [`price = 'costs $1' and a = $1`, [1], `price = 'costs $1' and a = ?`, [1]],
  [`'it''s $1' "na$1me" \`$1\` $1`, [1], `'it''s $1' "na$1me" \`$1\` ?`, [1]],
  ['a = $12', Array.from({ length: 12 }, (_, i) => i), 'a = ?', [11]],
])('%s', (sql, params, replaced, ordered) => {
  expect(questionMarks(sql, params)).toEqual({ sql: replaced, params: ordered })
})

it('keeps the number where a database takes it', () => {
  expect(replacePlaceholders(`a = $2 or '$1' = $1`, n => `?${n}`)).toBe(`a = ?2 or '$1' = ?1`)
})
