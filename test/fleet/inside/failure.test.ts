import { expect, it } from 'vitest'
import { failureOf } from '../../../src/fleet/inside/failure.ts'

const errorWith = (members: PropertyDescriptorMap) => Object.defineProperties(new Error('told'), members)
const throws = {
  get: () => {
    throw new Error('no')
  },
}
const ring: Error = new Error('told')
ring.cause = ring

it.each([
  ['a message that is a BigInt', errorWith({ message: { value: 10n } }), { name: 'Error', message: '10' }],
  ['a stack that throws', errorWith({ stack: throws }), { name: 'Error', message: 'told' }],
  ['a stack that is no text', errorWith({ stack: { value: 1n } }), { message: 'told' }],
  ['itself for a cause', ring, { message: 'told' }],
  [
    'the name of a member of every object',
    errorWith({ name: { value: 'constructor' } }),
    { name: 'constructor' },
  ],
  ['a name that is a symbol', errorWith({ name: { value: Symbol('x') } }), { name: 'Symbol(x)' }],
  [
    'a message that throws',
    errorWith({ message: throws }),
    { message: 'threw something (object) that cannot be read: no' },
  ],
  ['details that are a BigInt', errorWith({ details: { value: 1n } }), { message: 'told' }],
])('an error with %s is a plain failure that can be sent', (_what, error, expected) => {
  const failure = failureOf(error)
  expect(failure).toMatchObject({ kind: 'error', ...expected })
  expect(JSON.parse(JSON.stringify(failure))).toMatchObject({ kind: 'error', ...expected })
})

it('reads what cannot be looked into', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  expect(failureOf(proxy)).toMatchObject({ kind: 'error', message: expect.stringMatching(/cannot be read/) })
  expect(failureOf(Object.assign(Object.create(null), { a: 1n }))).toMatchObject({ kind: 'error' })
})

it.each([
  ['Retry', 'retry'],
  ['Snooze', 'snooze'],
  ['Cancel', 'cancel'],
  ['Unrecoverable', 'unrecoverable'],
])('%s is told by its name', (name, kind) => {
  expect(failureOf(Object.assign(new Error('x'), { name }))).toMatchObject({ kind })
})
