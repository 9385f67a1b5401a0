/** A stream as lines, read no faster than they are taken. */
import type { Readable } from 'node:stream'

export interface Line {
  /** From 1. */
  number: number
  text: string
  /** Longer than the limit: `text` is its beginning. */
  cut: boolean
}

/** Blank lines are counted and left out. Of a line over `limit` characters only the beginning is held in memory. */
export async function* readLines(stream: Readable, limit: number): AsyncGenerator<Line> {
  let number = 1
  let text = ''
  let isStart = true
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    // What some programs put before UTF-8 is no part of the text.
    const parts = (isStart ? chunk.replace(/^\uFEFF/, '') : chunk).split('\n')
    isStart = false
    for (const [i, part] of parts.entries()) {
      if (text.length <= limit) text += part
      if (i === parts.length - 1) break
      if (text.trim() !== '') yield lineOf(number, text, limit)
      number++
      text = ''
    }
  }
  if (text.trim() !== '') yield lineOf(number, text, limit)
}

const lineOf = (number: number, text: string, limit: number): Line => ({
  number,
  text: text.slice(0, limit),
  cut: text.length > limit,
})
