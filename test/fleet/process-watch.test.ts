/** The supervisor's end of the pipe to the watch thread of a child process. */
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { ProcessWatch } from '../../src/fleet/process-watch.ts'

it('counts beats, and survives a pipe that breaks: what was asked then is refused', async () => {
  const pipe = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const watch = new ProcessWatch(pipe)
  pipe.push('beat\nbeat\n')
  await expect.poll(() => watch.beats).toBe(2)
  const asked = watch.sight()
  pipe.destroy(new Error('EPIPE'))
  await expect(asked).rejects.toThrow('the process has ended')
})
