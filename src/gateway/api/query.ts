/** Query parameters by their schema. What is not known is a slip of the fingers, and is not passed over. */
import type { Context } from 'hono'
import type { z } from 'zod'
import { didYouMean } from '../../suggestion.ts'
import { Problem } from '../problem.ts'

/** Throws Problem 400 naming the parameter. */
export function readQuery<Shape extends z.ZodRawShape>(
  c: Context,
  schema: z.ZodObject<Shape>,
): z.output<z.ZodObject<Shape>> {
  const given = new URL(c.req.url).searchParams
  const names = [...given.keys()]
  const known = Object.keys(schema.shape)
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new Problem(400, 'USAGE', `there is no parameter ${JSON.stringify(unknown.slice(0, 50))}`, {
      hint: didYouMean(unknown, known).hint ?? `it takes ${known.join(', ')}`,
    })
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Problem(400, 'USAGE', `${twice} was given twice`)
  const parsed = schema.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Problem(400, 'USAGE', `${String(issue?.path[0])}: ${issue?.message}`)
}
