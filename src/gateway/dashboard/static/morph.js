/**
 * One element becomes as another is, with as little as possible changed: those of the same id, or in the same place, are the
 * same. What a person has opened stays open, and what is pressed just now stays marked so.
 */
export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) from.data = to.data
  else if (from.nodeName !== to.nodeName) from.replaceWith(to)
  else {
    morphAttributes(from, to)
    morphChildren(from, to)
  }
}

function morphAttributes(from, to) {
  const isKept = name => name === 'aria-disabled' || (name === 'open' && from.nodeName === 'DETAILS')
  for (const { name, value } of Array.from(to.attributes))
    if (!isKept(name) && from.getAttribute(name) !== value) from.setAttribute(name, value)
  for (const { name } of Array.from(from.attributes))
    if (!isKept(name) && !to.hasAttribute(name)) from.removeAttribute(name)
}

function morphChildren(from, to) {
  let at = from.firstChild
  for (const wanted of Array.from(to.childNodes)) {
    const same = wanted.id ? [...from.children].find(({ id }) => id === wanted.id) : alike(at, wanted)
    if (same === undefined) from.insertBefore(wanted, at)
    else {
      if (same === at) at = at.nextSibling
      else from.insertBefore(same, at)
      morph(same, wanted)
    }
  }
  while (at !== null) {
    const next = at.nextSibling
    at.remove()
    at = next
  }
}

const alike = (node, wanted) =>
  node !== null && node.nodeName === wanted.nodeName && !node.id ? node : undefined
