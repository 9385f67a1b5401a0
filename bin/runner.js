#!/usr/bin/env node
// CommonJS in the words of Node 10 (package.json beside it), so that an old Node gets a sentence and not a syntax error.
// In the repository the sources run as they are; the published package carries only dist/.
const { existsSync } = require('fs')
const { join } = require('path')
const { pathToFileURL } = require('url')

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) refuse()
else start()

function refuse() {
  const message = 'runner needs Node >= 24.12, this is ' + process.version
  const hint = 'install it, or `npm i -D node@24` and start with npx runner'
  // As src/commands/output.ts and failure.ts do, which cannot be loaded here.
  const args = process.argv.slice(2)
  const wantsJson = args.some(
    (arg, i) =>
      /^(--json|(-o|--output=)jsonl?)$/.test(arg) ||
      (/^jsonl?$/.test(arg) && /^(-o|--output)$/.test(args[i - 1])),
  )
  const error = { code: 'NODE_TOO_OLD', message, hint, details: null }
  console.error(wantsJson ? JSON.stringify({ error }) : 'error: ' + message + '\nhint: ' + hint)
  process.exitCode = 2
}

function start() {
  const source = join(__dirname, '../src/cli.ts')
  const isSource = existsSync(source)
  const cli = isSource ? source : join(__dirname, '../dist/cli.js')
  // What is always on starts once, and would hold in memory what was compiled.
  if (process.argv[2] !== 'serve' || isSource) keepCompiled()
  void import(pathToFileURL(cli).href).then(({ main }) => main(process.argv))
}

// Halves what the import above costs, from the second start on; by the variable also those of threads and children,
// which look nowhere else. NODE_DISABLE_COMPILE_CACHE=1 turns both off.
function keepCompiled() {
  const { enableCompileCache, getCompileCacheDir } = require('module')
  enableCompileCache()
  const cache = getCompileCacheDir()
  if (cache !== undefined && process.env.NODE_COMPILE_CACHE === undefined)
    process.env.NODE_COMPILE_CACHE = cache
}
