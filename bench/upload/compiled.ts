/**
 * The gateways of the benchmark as JavaScript, as they are published: what strips types takes 25 MB of a process.
 * `tsc -p bench/upload`, which `npm run bench:upload` runs first, makes them.
 */
const FOLDER = new URL('../../dist/bench-upload/bench/upload/', import.meta.url)

/** `name` of a file of this folder. */
export const compiled = (name: string): URL => new URL(`${name}.js`, FOLDER)
