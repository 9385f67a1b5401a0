/**
 * A part of the page with a table in it. On a narrow screen each row becomes a card, by style.css: every cell says what it
 * is, and roles are written out, since a table that is laid out as blocks is none to a screen reader.
 */
import { html } from 'hono/html'
import { count } from './amount.ts'

export type Html = ReturnType<typeof html>

export interface Column<Row> {
  title: string
  cell: (row: Row) => Html | string
  /** Numbers stand to the right. */
  isNumber?: true
}

export interface Part<Row> {
  /** Of the element, and of its title; `id` of a row is made of it. */
  id: string
  title: string
  rows: readonly Row[]
  /** Of a row, over all looks. */
  key: (row: Row) => string
  columns: readonly Column<Row>[]
  /** Somebody should look at it. */
  isAlarm?: (row: Row) => boolean
  /** Instead of the table. */
  empty: string
  /** How many there are, where `rows` are not all of them. */
  all?: number
}

/** The first column names the row. */
export function tablePart<Row>(part: Part<Row>): Html {
  const { id, title, rows, columns, empty } = part
  const all = Math.max(part.all ?? 0, rows.length)
  const heads = columns.map(
    column => html`<th role="columnheader" scope="col" ${numeric(column)}>${column.title}</th>`,
  )
  const table = html`<table role="table" aria-labelledby="${id}-title">
    <thead role="rowgroup">
      <tr role="row">
        ${heads}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(row => rowOf(part, row))}
    </tbody>
  </table>`
  const hidden = all - rows.length
  const more = hidden === 0 ? '' : html`<p class="empty">${count(hidden)} more are not shown.</p>`
  return sectionOf(id, title, all, all === 0 ? html`<p class="empty">${empty}</p>` : html`${table} ${more}`)
}

/** `size`: of what is in it. Its title takes the focus when what had it is gone. */
export function sectionOf(id: string, title: string, size: number, body: Html | Html[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title" tabindex="-1">${title} <span class="count">${count(size)}</span></h2>
    ${body}
  </section>`
}

function rowOf<Row>({ id, key, columns, isAlarm }: Part<Row>, row: Row): Html {
  const cells = columns.map(({ title, cell, ...column }, i) =>
    i === 0
      ? html`<th role="rowheader" scope="row" data-title="${title}">${cell(row)}</th>`
      : html`<td role="cell" data-title="${title}" ${numeric(column)}>${cell(row)}</td>`,
  )
  const mark = isAlarm?.(row) === true ? html`class="alarm"` : ''
  return html`<tr role="row" id="${idOf(id, key(row))}" ${mark}>
    ${cells}
  </tr>`
}

/** Of an element for something that is called anything: no space, and the same again for the same. */
export const idOf = (part: string, key: string): string => `${part}-${encodeURIComponent(key)}`

const numeric = ({ isNumber }: { isNumber?: true }): Html | string =>
  isNumber === true ? html`class="number"` : ''
