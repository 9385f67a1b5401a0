/**
 * `runner complete`, which shells call: candidates for the end of a command line, one a line with a tab before what it
 * is, and last a colon with a number (0: files will do, 4: nothing else, 16: folders). That is what the scripts of
 * @bomb.sh/tab, and before them cobra's, read.
 *
 * It never fails aloud and never lasts: whatever is not there in time is not offered.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { candidatesFor, type Answer } from './candidates.ts'
import { splitLine } from './typed-line.ts'

/** Of it all, for what nobody expects to take long: a config file, a slow disk. Milliseconds. */
const DEADLINE = 2_000
/** That a shell takes as they are. A queue may be named `$(reboot)`, and some shells expand what they are offered. */
const PLAIN = /^[\p{L}\p{N}_.@+/:{}-][\p{L}\p{N}_.@+=/:{}-]*$/u
/** More than anybody reads. */
const MOST = 500

/** `args`: `--` and words without the program's name, the last of them unfinished; or `--line` and a line with it. */
export async function answerShell([form, ...rest]: string[]): Promise<never> {
  const answer: Answer = { offers: new Map(), directive: 4 }
  const { words, last } =
    form === '--line' ? afterProgram(rest[0] ?? '') : { words: rest.slice(0, -1), last: rest.at(-1) ?? '' }
  await Promise.race([
    // A config file that does not load, a Redis that is away: the command itself will say so.
    candidatesFor(words, last, answer).catch(() => undefined),
    delay(DEADLINE),
  ])
  const lines = [...answer.offers].filter(([value]) => PLAIN.test(value)).slice(0, MOST)
  const text = lines.map(([value, about]) => `${value}\t${about.replaceAll(/\s+/g, ' ')}\n`).join('')
  // Connections may be open, or about to be.
  return new Promise(() => process.stdout.write(`${text}:${answer.directive}\n`, () => process.exit(0)))
}

/** Without what stands before the program: `REDIS_URL=... runner`. */
function afterProgram(line: string) {
  const { words, last } = splitLine(line)
  const program = words.findIndex(word => !/^\w+=/.test(word))
  return { words: words.slice(program + 1), last }
}
