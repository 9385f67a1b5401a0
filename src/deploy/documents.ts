/** Objects from YAML as somebody wrote it. Nothing of them is certain, so everything is read with what it is not in mind. */
import { LineCounter, parseAllDocuments } from 'yaml'
import { RunnerError } from '../errors.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface Document {
  kind: string
  name: string
  namespace: string
  /** 'Deployment/mail', as messages name it. */
  object: string
  body: Fields
}

/** Of one or more documents, and of Lists as `kubectl get -o yaml` prints them. Throws MANIFEST_INVALID, with the line. */
export function readDocuments(text: string, file: string): Document[] {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents = [...parsed].flatMap(document => {
    const line = lines.linePos(document.contents?.range?.[0] ?? 0).line
    const [error] = document.errors
    if (error !== undefined) {
      const at = lines.linePos(error.pos[0])
      throw invalid(file, at.line, error.message)
    }
    const value: unknown = document.toJS()
    return value === null
      ? []
      : flat(value).map(body => documentOf(body, () => invalid(file, line, NO_OBJECT)))
  })
  if (documents.length === 0) throw new RunnerError('MANIFEST_INVALID', `${file}: there is no object in it`)
  return documents
}

const NO_OBJECT = 'no object of Kubernetes: it has no kind, or no name'

const invalid = (file: string, line: number, message: string): RunnerError =>
  new RunnerError('MANIFEST_INVALID', `${file}:${line}: ${message}`)

const flat = (value: unknown): readonly unknown[] =>
  fields(value)['kind'] === 'List' ? list(fields(value)['items']) : [value]

/** Of objects that are at hand. */
export const documentsOf = (objects: readonly object[]): Document[] =>
  objects.map(object => documentOf(object, () => new RunnerError('MANIFEST_INVALID', NO_OBJECT)))

function documentOf(value: unknown, fault: () => RunnerError): Document {
  const body = fields(value)
  const kind = text(body['kind'])
  const { name, generateName, namespace } = fields(body['metadata'])
  const called = text(name) ?? text(generateName)
  // A kustomization has none; it is no object either.
  if (kind === undefined || (called === undefined && kind !== 'Kustomization')) throw fault()
  return {
    kind,
    name: called ?? '',
    namespace: text(namespace) ?? 'default',
    object: `${kind}/${called ?? ''}`,
    body,
  }
}

export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** What is at 'spec.template.spec', or nothing. */
export const at = (body: Fields, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => fields(value)[key], body)
