#!/usr/bin/env node
// Plain JavaScript that any Node parses, so that an old one gets a sentence and not a syntax error.
// In the repository the sources run as they are; the published package carries only dist/.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  console.error(
    `runner needs Node >= 24.12, this is ${process.version}: install it, or \`npm i -D node@24\` and start with npx runner`,
  )
  process.exit(2)
}
// Halves what the imports below cost, from the second start on.
nodeModule.enableCompileCache()
const source = new URL('../src/cli.ts', import.meta.url)
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/cli.js', import.meta.url).href
)
await main(process.argv)
