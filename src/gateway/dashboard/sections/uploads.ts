/** Uploads that this process takes in just now. */
import { age, size } from '../amount.ts'
import type { ActiveUpload } from '../../upload/slots.ts'
import { tablePart, type Html } from '../table.ts'

export function uploadsPart(rows: readonly ActiveUpload[], now: number): Html {
  const whole = rows.reduce((sum, { bytes }) => sum + bytes, 0)
  return tablePart<ActiveUpload>({
    id: 'uploads',
    title: rows.length === 0 ? 'Uploads' : `Uploads, ${size(whole)} so far`,
    rows,
    key: ({ id }) => id,
    columns: [
      { title: 'Upload', cell: ({ id }) => id },
      { title: 'Token', cell: ({ token }) => token },
      { title: 'Received', cell: ({ bytes }) => size(bytes), isNumber: true },
      { title: 'Age', cell: ({ since }) => age(Math.max(0, now - since)), isNumber: true },
    ],
    empty: 'Nothing is being uploaded to this process.',
  })
}
