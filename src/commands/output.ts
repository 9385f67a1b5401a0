/** Data goes to stdout in the form that was asked for; everything said to people goes to stderr. */
export type Format = 'text' | 'json' | 'jsonl'

export const FORMATS: readonly Format[] = ['text', 'json', 'jsonl']

export interface Output {
  readonly format: Format
  /** One result: `text`, or `data` as one line of JSON; as jsonl a list has a line for each of its elements. */
  print: (text: string, data: unknown) => void
  /** A line for people, whatever the format. */
  note: (line: string) => void
}

export function createOutput(format: Format): Output {
  return {
    format,
    print: (text, data) => {
      const values = format === 'jsonl' && Array.isArray(data) ? (data as unknown[]) : [data]
      const lines = format === 'text' ? [text] : values.map(value => JSON.stringify(value))
      process.stdout.write(lines.map(line => `${line}\n`).join(''))
    },
    note: line => void process.stderr.write(`${line}\n`),
  }
}

/** Read from the bare arguments, since errors in them are reported in this form too. */
export function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      arg === '--json' ||
      /^(-o|--output=)jsonl?$/.test(arg) ||
      (/^jsonl?$/.test(arg) && ['-o', '--output'].includes(args[i - 1] ?? '')),
  )
}
