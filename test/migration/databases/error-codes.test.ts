import { expect, it } from 'vitest'
import { codesOf } from '../../../src/migration/databases/error-codes.ts'

it('finds the code of the driver in what ORMs make of its error', () => {
  const driver = Object.assign(new Error('deadlock detected'), { code: '40P01' })
  expect(codesOf(driver)).toEqual(['40P01'])
  expect(codesOf(new Error('Failed query', { cause: driver }))).toEqual(['40P01'])
  expect(codesOf(Object.assign(new Error('QueryFailedError'), { driverError: driver }))).toEqual(['40P01'])
  const prisma = { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '40P01' } } } }
  expect(codesOf(prisma)).toEqual(['P2010', '40P01'])
})

it('takes anything that is thrown', () => {
  const circle: { code: number; cause?: unknown } = { code: 5 }
  circle.cause = circle
  expect([codesOf(undefined), codesOf('text'), codesOf(circle)]).toEqual([[], [], []])
})
