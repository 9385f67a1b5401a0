/** A command line as a shell splits it: by blanks, with quotes and backslashes. Nothing is expanded. */

export interface TypedLine {
  /** Those that are finished. */
  words: string[]
  /** The one that ends the line; '' after a blank. */
  last: string
}

/** A quote that is still open ends with the line. */
export function splitLine(line: string): TypedLine {
  const words: string[] = []
  const word = /\s+|\\(.)|'([^']*)'?|"((?:\\.|[^"\\])*)"?|[^\s\\'"]+|\\$/gsu
  let last = ''
  let isOpen = false
  for (const [text, escaped, single, double] of line.matchAll(word)) {
    if (/^\s/.test(text)) {
      if (isOpen) words.push(last)
      last = ''
      isOpen = false
      continue
    }
    isOpen = true
    last += escaped ?? single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? text
  }
  return { words, last }
}
