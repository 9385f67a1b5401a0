/** Whole pages. Without a script they work too: forms are posted, and the page of the fleet loads itself again. */
import { html, raw } from 'hono/html'
import type { Caller } from '../caller.ts'
import type { Fragments } from './fragments.ts'
import type { Html } from './table.ts'

/** Seconds between two loads of a browser without a script. */
const RELOAD = 5

export interface Said {
  text: string
  ok: boolean
}

export interface PageParts {
  fragments: Fragments
  caller: Caller
  /** Whether there is anything to sign out of. */
  signedIn: boolean
  formToken: string
  /** What came of a button, where no script took it. */
  said: Said | undefined
}

export function fleetPage({ fragments, caller, signedIn, formToken, said }: PageParts): Html {
  const who = signedIn
    ? html`<form method="post" action="/logout">
        <input type="hidden" name="token" value="${formToken}" /> <span>${caller.name}</span>
        <button>Sign out</button>
      </form>`
    : ''
  return documentOf(
    'Fleet',
    html`<script type="module" src="/dashboard/live.js"></script>
      <noscript><meta http-equiv="refresh" content="${RELOAD}; url=/" /></noscript>`,
    html`<a class="skip" href="#main">Skip to the fleet</a>
      <header>
        <p class="name">runner</p>
        <nav aria-label="Pages">
          <a href="/" aria-current="page">Fleet</a> <a href="/queues">Queues and jobs</a>
        </nav>
        <p id="live" hidden>connecting</p>
        <noscript><p>reloads every ${RELOAD} s</p></noscript> ${who}
      </header>
      <main id="main" tabindex="-1">
        <h1>Fleet</h1>
        <p id="result" role="status" class="${said === undefined ? '' : said.ok ? 'good' : 'bad'}">
          ${said?.text ?? ''}
        </p>
        <form id="act" method="post" action="/act">
          <input type="hidden" name="token" value="${formToken}" />
        </form>
        <div id="parts">${raw([...fragments.values()].join('\n'))}</div>
      </main>`,
  )
}

export interface LoginParts {
  formToken: string
  /** Why the last try failed. */
  refused?: string | undefined
}

export function loginPage({ formToken, refused }: LoginParts): Html {
  const described = refused === undefined ? '' : raw('aria-invalid="true" aria-describedby="refused"')
  return documentOf(
    'Sign in',
    html``,
    html`<main id="main" class="login">
      <h1>Sign in</h1>
      ${refused === undefined ? '' : html`<p id="refused" role="alert" class="bad">${refused}</p>`}
      <form method="post" action="/login">
        <input type="hidden" name="token" value="${formToken}" />
        <input type="text" name="user" value="runner" autocomplete="username" hidden />
        <label for="secret">Token</label>
        <input
          id="secret"
          name="secret"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          ${described}
        />
        <p class="hint">
          One of those in the config file, with the scope read; to press buttons, also operate.
        </p>
        <button>Sign in</button>
      </form>
    </main>`,
  )
}

/** What went wrong before there was a page. */
export function problemPage(title: string, detail: string, hint: string | undefined): Html {
  return documentOf(
    title,
    html``,
    html`<main id="main" class="login">
      <h1>${title}</h1>
      <p>${detail}</p>
      ${hint === undefined ? '' : html`<p class="hint">${hint}</p>`}
      <p><a href="/">Back to the fleet</a></p>
    </main>`,
  )
}

function documentOf(title: string, head: Html, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} - runner</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/dashboard/style.css" />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`
}
