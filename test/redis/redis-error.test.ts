/** What kind of an error an answer of Redis, or of ioredis, is. */
import { expect, it } from 'vitest'
import { isRefusal, redisErrorKind } from '../../src/redis/redis-error.ts'

it.each([
  ["READONLY You can't write against a read only replica.", 'readonly', true],
  ["NOPERM User runner has no permissions to run the 'hset' command", 'noperm', true],
  // Of a script, Redis 7.0 and 6.
  ["ERR The user executing the script can't run this command or subcommand script: 1f", 'noperm', true],
  [
    "ERR Error running script (call to f_1f): @user_script:7: The user executing the script can't access at least one of the keys mentioned in the command arguments",
    'noperm',
    true,
  ],
  // Whatever the last of the nodes said.
  ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'clusterdown', true],
  [
    'Too many Cluster redirections. Last error: Error: connect ECONNREFUSED 127.0.0.1:7000',
    'clusterdown',
    true,
  ],
  ['CLUSTERDOWN Hash slot not served', 'clusterdown', true],
  ['Connection is closed.', 'connection', false],
  ["Socket timeout. Expecting data, but didn't receive any in 15000ms.", 'timeout', false],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', undefined, false],
])('%s', (message, kind, refuses) => {
  expect(redisErrorKind(new Error(message))).toBe(kind)
  expect(isRefusal(new Error(message))).toBe(refuses)
})
