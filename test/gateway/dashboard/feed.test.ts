/** One look for all who watch, and none for nobody; and what is shown of what cannot be read. */
import { expect, it } from 'vitest'
import { Feed } from '../../../src/gateway/dashboard/feed.ts'
import { Reading } from '../../../src/gateway/dashboard/reading.ts'

interface Look {
  n: number
}

const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length

it('costs a hundred viewers what it costs one, and nothing when they are gone', async () => {
  const idle = timers()
  let taken = 0
  let running = 0
  let most = 0
  const feed = new Feed<Look>(async () => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    return { n: ++taken }
  }, 20)
  const watch = async () => {
    let seen: Look | undefined
    for (let i = 0; i < 3; i++) seen = await feed.next(seen)
    return seen
  }
  const all = await Promise.all(Array.from({ length: 100 }, watch))
  expect(all.map(look => look?.n)).toEqual(Array.from({ length: 100 }, () => 3))
  expect({ taken, most }).toEqual({ taken: 3, most: 1 })
  expect(timers()).toBeLessThanOrEqual(idle)
})

it('shows who comes between two looks the last one, and who has changed something a new one', async () => {
  let taken = 0
  const feed = new Feed<Look>(async () => ({ n: ++taken }), 60_000)
  expect(await feed.next()).toEqual({ n: 1 })
  expect(await feed.next()).toEqual({ n: 1 })
  feed.hurry()
  expect(await feed.next()).toEqual({ n: 2 })
  // Also who waits for the next one already, for a minute to come.
  const waiting = feed.next({ n: 2 })
  feed.hurry()
  expect((await waiting).n).toBeGreaterThanOrEqual(2)
})

it('a change that comes while it looks is in the next look, at once', async () => {
  const looks = [Promise.withResolvers<Look>(), Promise.withResolvers<Look>()]
  let taken = 0
  const feed = new Feed<Look>(() => (looks[taken++] as PromiseWithResolvers<Look>).promise, 60_000)
  const first = feed.next()
  feed.hurry()
  looks[0]?.resolve({ n: 1 })
  const seen = await first
  looks[1]?.resolve({ n: 2 })
  expect(await feed.next(seen)).toEqual({ n: 2 })
})

it('what hangs is read once, shown as it was, and says since when', async () => {
  const reads = [Promise.resolve('a'), Promise.withResolvers<string>(), Promise.resolve('c')] as const
  let begun = 0
  const reading = new Reading<string>(() => {
    const read = reads[begun++]
    if (read === undefined) throw new Error('it is gone')
    return 'promise' in read ? read.promise : read
  }, 10)
  expect(await reading.look()).toEqual({ value: 'a' })
  const hanging = await Promise.all([reading.look(), reading.look()])
  for (const looked of hanging)
    expect(looked).toEqual({ value: 'a', trouble: expect.stringMatching(/^no answer for \d+ms$/) })
  expect(begun).toBe(2)
  reads[1].resolve('b')
  // It comes back by itself.
  await expect.poll(async () => reading.look()).toEqual({ value: 'c' })
  expect(await reading.look()).toEqual({ value: 'c', trouble: 'it is gone' })
})
