/** `$1` in the SQL of authors and of the ledger, as other databases write it. */

/** A quoted text or name, which is left as it is; or a parameter. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(\d+)/g

/** Each `$n` as `replace` writes it. */
export function replacePlaceholders(sql: string, replace: (n: number) => string): string {
  return sql.replaceAll(TOKEN, (token, n: string | undefined) =>
    n === undefined ? token : replace(Number(n)),
  )
}

/** `?` in the order of the text: a parameter that is used twice is given twice. */
export function questionMarks(sql: string, params: readonly unknown[]): { sql: string; params: unknown[] } {
  const ordered: unknown[] = []
  const replaced = replacePlaceholders(sql, n => {
    ordered.push(params[n - 1])
    return '?'
  })
  return { sql: replaced, params: ordered }
}
