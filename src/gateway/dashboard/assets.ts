/** The scripts and the styles of the page: files, as they lie beside this one. */
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { etag } from 'hono/etag'

const FILES = {
  'live.js': 'text/javascript; charset=utf-8',
  'morph.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
} as const

/** Asked for again at each load, and sent again only when they have changed. */
export function assetRoutes(): Hono {
  const app = new Hono()
  app.use('/dashboard/*', etag())
  for (const [name, type] of Object.entries(FILES)) {
    const text = readFileSync(new URL(`static/${name}`, import.meta.url), 'utf8')
    app.get(`/dashboard/${name}`, c =>
      c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }),
    )
  }
  return app
}
