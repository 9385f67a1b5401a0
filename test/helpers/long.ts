/**
 * `npm run test:long` runs what `npm test` leaves out for its length: it is set then. What is left out is a second way
 * to the same end, whose first way is in `npm test`.
 */
export const isLong = process.env['TEST_LONG'] === '1'
