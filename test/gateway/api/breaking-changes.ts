/** What in one OpenAPI document breaks a client that was written for another. Additions do not. */

type Json = Record<string, unknown>

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** One line each: 'GET /v1/queues: gone'. Empty: `after` serves every client of `before`. */
export function breakingChanges(before: Json, after: Json): string[] {
  const found: string[] = []
  const [old, now] = [paths(before), paths(after)]
  for (const [path, item] of Object.entries(old))
    for (const method of METHODS) {
      const was = item[method] as Json | undefined
      if (was === undefined) continue
      const is = now[path]?.[method] as Json | undefined
      const at = `${method.toUpperCase()} ${path}`
      if (is === undefined) found.push(`${at}: gone`)
      else found.push(...ofOperation(was, is, before, after).map(line => `${at}: ${line}`))
    }
  return found
}

const paths = (document: Json) => document['paths'] as Record<string, Json>

function ofOperation(was: Json, is: Json, before: Json, after: Json): string[] {
  const found: string[] = []
  const parameters = (operation: Json) =>
    new Map(
      (operation['parameters'] as Json[]).map(one => [`${String(one['in'])} ${String(one['name'])}`, one]),
    )
  const [old, now] = [parameters(was), parameters(is)]
  for (const name of old.keys()) if (!now.has(name)) found.push(`parameter ${name} is gone`)
  for (const [name, { required }] of now)
    if (required === true && old.get(name)?.['required'] !== true) found.push(`parameter ${name} is required`)
  const [oldAnswers, answers] = [
    was['responses'] as Record<string, Json>,
    is['responses'] as Record<string, Json>,
  ]
  for (const [status, answer] of Object.entries(oldAnswers)) {
    if (answers[status] === undefined) found.push(`answer ${status} is gone`)
    else found.push(...ofContent(answer, answers[status], `answer ${status}`, 'given', before, after))
  }
  const [oldBody, body] = [was['requestBody'], is['requestBody']] as (Json | undefined)[]
  if (oldBody !== undefined && body !== undefined)
    found.push(...ofContent(oldBody, body, 'body', 'taken', before, after))
  return found
}

function ofContent(
  was: Json,
  is: Json,
  at: string,
  way: 'given' | 'taken',
  before: Json,
  after: Json,
): string[] {
  const [old, now] = [was['content'] ?? {}, is['content'] ?? {}] as Record<string, Json>[]
  return Object.entries(old!).flatMap(([type, { schema }]) => {
    const other = now![type]
    if (other === undefined) return [`${at} is no ${type} any more`]
    return ofSchema(schema as Json, other['schema'] as Json, { at, way, before, after })
  })
}

interface Place {
  at: string
  way: 'given' | 'taken'
  before: Json
  after: Json
}

function ofSchema(one: Json, other: Json, place: Place): string[] {
  const { at, way, before, after } = place
  const [was, is] = [resolved(one, before), resolved(other, after)]
  const found: string[] = []
  const types = (schema: Json) => [schema['type'] ?? []].flat() as string[]
  const [less, more] = way === 'given' ? [types(is), types(was)] : [types(was), types(is)]
  if (more.length > 0 && less.some(type => !more.includes(type)))
    found.push(`${at} is ${types(is).join('|')}, and was ${types(was).join('|')}`)
  const fields = (schema: Json) => (schema['properties'] ?? {}) as Record<string, Json>
  const required = (schema: Json) => (schema['required'] ?? []) as string[]
  for (const [name, field] of Object.entries(fields(was))) {
    const now = fields(is)[name]
    if (now === undefined) found.push(`${at}.${name} is gone`)
    else found.push(...ofSchema(field, now, { ...place, at: `${at}.${name}` }))
  }
  const [sure, promised] = way === 'given' ? [required(was), required(is)] : [required(is), required(was)]
  for (const name of sure)
    if (!promised.includes(name))
      found.push(way === 'given' ? `${at}.${name} may be missing` : `${at}.${name} is required`)
  if (was['items'] !== undefined && is['items'] !== undefined)
    found.push(...ofSchema(was['items'] as Json, is['items'] as Json, { ...place, at: `${at}[]` }))
  return found
}

function resolved(schema: Json, document: Json): Json {
  const { $ref: ref } = schema
  if (typeof ref !== 'string') return schema
  let at: unknown = document
  for (const part of ref.slice(2).split('/')) at = (at as Json)[part]
  return resolved(at as Json, document)
}
