/**
 * `node test/helpers/ensure-databases.ts`, which `npm test` runs first: installs PostgreSQL, MariaDB, zsh for its
 * completion, tmux as the terminal of the live view, chromium for the dashboard, and promtool, where that is possible without asking. Elsewhere the
 * tests that need them are skipped, and say so. No service is started.
 */
import { spawnSync } from 'node:child_process'
import { mariadbFolder, postgresFolder } from './database-server.ts'
import { CHROMIUM, hasChromium } from './browser.ts'
import { hasShell } from './typed-shell.ts'

interface Program {
  name: string
  packages: string
  /** Where it is; undefined: nowhere. */
  find: () => string | undefined
  /** Default: what packages are installed by. */
  install?: string
}

const PROGRAMS: Program[] = [
  { name: 'postgresql', packages: 'postgresql', find: postgresFolder },
  { name: 'mariadb', packages: 'mariadb-server-core mariadb-client-core', find: mariadbFolder },
  {
    name: 'tmux',
    packages: 'tmux',
    find: () => (spawnSync('tmux', ['-V']).status === 0 ? 'tmux' : undefined),
  },
  {
    name: 'promtool',
    packages: 'prometheus',
    find: () => (spawnSync('promtool', ['--version']).status === 0 ? 'promtool' : undefined),
    // One program of it: the package starts a server, and wants a user for that.
    install:
      'cd "$(mktemp -d)" && apt-get download prometheus && dpkg -x prometheus_*.deb . && install usr/bin/promtool /usr/local/bin/',
  },
  { name: 'chromium', packages: 'chromium', find: () => (hasChromium() ? CHROMIUM : undefined) },
  { name: 'zsh', packages: 'zsh', find: () => (hasShell('zsh') ? 'zsh' : undefined) },
]
const installing = (packages: string) => `apt-get install -y --no-install-recommends ${packages}`
const isDebian = () => spawnSync('apt-get', ['--version']).status === 0

for (const { name, packages, find, install = installing(packages) } of PROGRAMS) {
  if (find() !== undefined) continue
  if (process.getuid?.() === 0 && isDebian()) {
    // Its lists are those of the last update, in an image of none.
    const command = `${install} || { apt-get update; ${install}; }`
    console.error(`${name}: not found, installing: ${command}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    spawnSync('sh', ['-c', command], { env })
  }
  const folder = find()
  console.error(
    folder === undefined
      ? `${name}: not found; its tests are skipped (sudo apt-get install ${packages})`
      : `${name}: installed ${folder}`,
  )
}
