/**
 * Compiles the runner of this repository into the copy that `npm ci` has put into node_modules: a registry would give it
 * compiled. A fresh clone has no compiler at its root, so that it is installed first.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = fileURLToPath(new URL('node_modules/bullmq-runner/dist', import.meta.url))
const compiler = `${root}node_modules/.bin/tsc`

if (!existsSync(compiler)) run('npm', ['ci', '--no-audit', '--no-fund'])
rmSync(dist, { recursive: true, force: true })
run(compiler, ['-p', 'tsconfig.build.json', '--outDir', dist])
// What `runner serve` hands to browsers, and no compiler takes along.
cpSync(`${root}src/gateway/dashboard/static`, `${dist}/gateway/dashboard/static`, { recursive: true })

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} ended with ${status}`)
}
