/** Forms that somebody has damaged, the same ones each time: bytes changed, cut, doubled, moved, and words of the format put in. */
import { BOUNDARY, form } from './multipart.ts'

/** Numbers of [0, 1) by a seed: mulberry32. */
export function randomBy(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const csv = {
  name: 'users',
  fileName: 'users.csv',
  type: 'text/csv',
  content: 'id,name\r\n1,Ada\r\n2,Grace\r\n',
}
const WHOLE = [
  form([csv]),
  form([{ name: 'note', content: 'early' }, csv, { name: 'limit', type: 'application/json', content: '10' }]),
  form([csv, { ...csv, fileName: 'more.csv', content: 'x'.repeat(300) }, { name: 'note', content: '' }]),
  form([{ name: 'users', fileName: '', type: 'application/octet-stream' }, csv]),
  form([{ ...csv, content: `\r\n--${BOUNDARY.slice(0, -1)}\r\n--\r\n\r--${BOUNDARY}` }]),
]

const WORDS = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '--',
  `--${BOUNDARY}`,
  `\r\n--${BOUNDARY}`,
  `\r\n--${BOUNDARY}--`,
  `\r\n--${BOUNDARY}\r\n`,
  `--${BOUNDARY}--\r\n`,
  'Content-Disposition: form-data; name="a"\r\n',
  'Content-Disposition: form-data; name="users"; filename="a.csv"\r\n',
  'Content-Disposition: attachment\r\n',
  'Content-Type: text/plain; charset=utf-16\r\n',
  'Content-Type: application/octet-stream\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  '__proto__: x\r\n',
  'constructor: x\r\n',
  'name="__proto__"',
  "filename*=UTF-8''%00%ff",
  '; filename=',
  '"',
  ';',
  ':',
  '\0',
  '\u00ff',
  '\t',
  '%',
  'x'.repeat(200),
].map(word => Buffer.from(word, 'latin1'))

/** One, and how it is cut into pieces. */
export function mutatedForm(random: () => number): { body: Buffer; pieces: Buffer[] } {
  const below = (most: number) => Math.floor(random() * most)
  let body = WHOLE[below(WHOLE.length)]!
  for (let n = 1 + below(3); n > 0; n--) body = mutate(body, below)
  const pieces: Buffer[] = []
  const longest = random() < 0.1 ? 5 : 400
  for (let at = 0; at < body.length;) {
    const end = at + 1 + below(longest)
    pieces.push(body.subarray(at, end))
    at = end
  }
  return { body, pieces }
}

function mutate(body: Buffer, below: (most: number) => number): Buffer {
  const at = below(body.length + 1)
  const to = Math.min(body.length, at + below(40))
  const before = body.subarray(0, at)
  switch (below(6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([below(256)]), body.subarray(at + 1)])
    case 1:
      return Buffer.concat([before, body.subarray(to)])
    case 2:
      return Buffer.concat([before, body.subarray(at, to), body.subarray(at)])
    case 3:
      return before
    case 4:
      return Buffer.concat([body.subarray(to), before, body.subarray(at, to)])
    default:
      return Buffer.concat([before, WORDS[below(WORDS.length)]!, body.subarray(at)])
  }
}

/** What is between delimiters, by the letter of RFC 2046 and without a parser: bytes of each part, until the last delimiter. */
export function partsBetween(body: Buffer): Buffer[] {
  const [, ...segments] = `\r\n${body.toString('latin1')}`.split(`\r\n--${BOUNDARY}`)
  const end = segments.findIndex(segment => segment.startsWith('--'))
  return segments.slice(0, end).map(segment => {
    const header = segment.indexOf('\r\n\r\n')
    return Buffer.from(header === -1 ? '' : segment.slice(header + 4), 'latin1')
  })
}
