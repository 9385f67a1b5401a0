/** Rows of text under each other, as kubectl prints them: two blanks between columns, no lines. */

/** `right`: how many columns, counted from the last, are numbers and stand to the right. Default 0. */
export function textTable(rows: readonly (readonly string[])[], right = 0): string {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  const lines = rows.map(row =>
    row.map((cell, i) => (i < columns - right ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))),
  )
  return lines.map(cells => cells.join('  ').trimEnd()).join('\n')
}
