/**
 * Keeps the page as the fleet is. Parts come as HTML from this origin, and are worked into the page element by element,
 * so that the focus, what is open and how far it is scrolled stay. Without this script the page loads itself again.
 */
import { morph } from './morph.js'

const parts = document.getElementById('parts')
const live = document.getElementById('live')
const result = document.getElementById('result')
live.hidden = false

const source = new EventSource('/live')
source.addEventListener('open', () => show('live'))
source.addEventListener('stopping', () => show('server stops'))
source.addEventListener('error', () => {
  show('connection lost, trying again')
  // Refused for good: signed out, perhaps, or a proxy answers for a server that is being started again.
  if (source.readyState === EventSource.CLOSED) setTimeout(reload, 5_000)
})
source.addEventListener('message', ({ data }) => {
  show('live')
  const focused = document.activeElement
  const home = focused?.closest('section')?.id
  for (const [id, text] of JSON.parse(data)) take(id, text)
  if (document.activeElement === focused || focused === document.body) return
  // It was moved, or it is gone: then its part has the focus, and not nothing.
  const next = focused.isConnected ? focused : document.getElementById(`${home}-title`)
  next?.focus({ preventScroll: true })
})

document.addEventListener('submit', event => {
  const { target: form, submitter } = event
  if (form.id !== 'act') return
  event.preventDefault()
  if (submitter.getAttribute('aria-disabled') !== 'true') void press(form, submitter)
})

async function press(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter))
  submitter.setAttribute('aria-disabled', 'true')
  say('...', '')
  try {
    const answer = await fetch(form.action, { method: 'POST', body, headers: { accept: 'application/json' } })
    const { said, ok } = await answer.json()
    say(said, ok ? 'good' : 'bad')
  } catch {
    say('The server did not answer: look before you press it again.', 'bad')
  }
  submitter.removeAttribute('aria-disabled')
  submitter.closest('details.ask')?.removeAttribute('open')
}

/** Once there is a page again: what a proxy says meanwhile would stay for ever. */
async function reload() {
  const page = await fetch('/', { headers: { accept: 'text/html' } }).catch(() => undefined)
  if (page?.ok) location.reload()
  else setTimeout(reload, 5_000)
}

function show(text) {
  if (live.textContent !== text) live.textContent = text
}

function say(text, tone) {
  result.textContent = text
  result.className = tone
}

function take(id, text) {
  const template = document.createElement('template')
  template.innerHTML = text.trim()
  const wanted = template.content.firstElementChild
  const there = document.getElementById(id)
  if (there === null) parts.append(wanted)
  else morph(there, wanted)
}
