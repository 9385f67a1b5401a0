/** Pieces of an OpenAPI document. */
import { z } from 'zod'

export type Json = Record<string, unknown>

/** What is given may have more fields with the next version, and no client is to refuse them. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    override: ({ jsonSchema: made }) => {
      if (made.additionalProperties === false) delete made.additionalProperties
    },
  })
  return rest
}

/** Query parameters of a schema. */
export function parametersOf(schema: z.ZodObject): Json[] {
  const { properties = {} } = jsonSchema(schema, 'input') as { properties?: Record<string, Json> }
  return Object.entries(properties).map(([name, { description, ...shape }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description !== undefined && { description }),
    schema: shape,
  }))
}

export const inPath = (name: string, description: string): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
})

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
export const json = (name: string, description: string): Json => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
})

/** Those that any request can have. */
const PROBLEMS: Json = {
  default: {
    description: 'what is wrong, and what to do about it',
    content: { 'application/problem+json': { schema: ref('Problem') } },
  },
}

interface Operation {
  id: string
  summary: string
  scope: 'enqueue' | 'read' | 'operate'
  parameters?: Json[]
  responses: Json
  more?: Json
}

export function operation({ id, summary, scope, parameters = [], responses, more = {} }: Operation): Json {
  return {
    operationId: id,
    summary,
    description: `Needs a token with the scope \`${scope}\`.`,
    parameters,
    ...more,
    responses: { ...responses, ...PROBLEMS },
  }
}
