/** What the author of a handler is told by types alone, which `npm run check` checks: rows and results are inferred. */
import { expectTypeOf, test } from 'vitest'
import type { JobContext, Jsonified } from 'bullmq-runner'

interface User {
  id: number
  name?: string
  born: Date
}

declare const users: User[]
declare const stream: AsyncIterable<User>
declare function generate(): Generator<User, void>

/** Never called: only its types are looked at. */
async function uses({ chunks, map, step, checkpoint }: JobContext): Promise<void> {
  for (const source of [users, stream, generate()]) {
    await chunks(source, (rows, from) => {
      expectTypeOf(rows).toEqualTypeOf<User[]>()
      expectTypeOf(from).toEqualTypeOf<number>()
    })
  }
  await chunks(users, rows => expectTypeOf(rows).toEqualTypeOf<User[]>(), { size: 10, budget: '5ms' })
  await chunks(stream, rows => expectTypeOf(rows).toEqualTypeOf<User[]>(), { name: 'users' })
  await chunks(generate(), async rows => expectTypeOf(rows).toEqualTypeOf<User[]>())
  const byId = new Map<number, User>()
  await chunks(byId, rows => expectTypeOf(rows).toEqualTypeOf<[number, User][]>())
  expectTypeOf(await chunks([], () => undefined)).toEqualTypeOf<number>()

  expectTypeOf(await map(users, async ({ id }) => String(id))).toEqualTypeOf<string[]>()
  expectTypeOf(await map(new Set('ab'), (letter, i) => ({ letter, i }), { concurrency: 2 })).toEqualTypeOf<
    { letter: string; i: number }[]
  >()
  expectTypeOf(await step('count', () => users.length)).toEqualTypeOf<number>()
  expectTypeOf(await step('nothing', async () => {})).toEqualTypeOf<void>()
  expectTypeOf(await step('first', async () => users[0])).toEqualTypeOf<
    { id: number; name?: string; born: string } | undefined
  >()
  expectTypeOf(await checkpoint.get()).toEqualTypeOf<unknown>()
  expectTypeOf(await checkpoint.get<{ last: number }>()).toEqualTypeOf<{ last: number } | null>()

  // @ts-expect-error a misspelt option
  await chunks(users, () => undefined, { sise: 1 })
  // @ts-expect-error no duration
  await chunks(users, () => undefined, { budget: '10 parsecs' })
  // @ts-expect-error streams are for chunks
  await map(stream, () => undefined)
}

test('rows and results are inferred', () => {
  expectTypeOf(uses).parameter(0).toEqualTypeOf<JobContext>()
})

test('Jsonified says what JSON keeps', () => {
  expectTypeOf<Jsonified<{ at: Date; f: () => void; big: Map<string, number> }>>().toEqualTypeOf<{
    at: string
    big: Record<string, never>
  }>()
  expectTypeOf<Jsonified<[Date, number?]>>().toExtend<[string, (number | null)?]>()
  expectTypeOf<Jsonified<(string | undefined)[]>>().toEqualTypeOf<(string | null)[]>()
  expectTypeOf<Jsonified<readonly { id: 1 }[]>>().toEqualTypeOf<readonly { id: 1 }[]>()
  expectTypeOf<Jsonified<bigint>>().toEqualTypeOf<never>()
  expectTypeOf<Jsonified<unknown>>().toEqualTypeOf<unknown>()
})
