/** Names of a form's fields. They are plain: brackets and dots build nothing here, and nothing that could is let through. */
import { LONGEST_NAME } from './limits.ts'
import { Refusal } from './refusal.ts'

const INHERITED = /__proto__|^(constructor|prototype)$/
const PLAIN = /^[^\p{Cc}\p{Cf}[\]]+$/u

/** Throws Refusal 422. */
export function requireName(name: string | undefined): string {
  if (name === undefined || name === '')
    throw new Refusal('field', 'a part has no name', {
      hint: 'each needs Content-Disposition: form-data; name="..."',
    })
  if (Buffer.byteLength(name) > LONGEST_NAME)
    throw new Refusal('field', `the name of a field has at most ${LONGEST_NAME} bytes`)
  if (INHERITED.test(name)) throw new Refusal('field', `no field is called ${JSON.stringify(name)}`)
  if (!PLAIN.test(name))
    throw new Refusal('field', `a field cannot be called ${JSON.stringify(name)}`, {
      hint: 'names are plain; send what is nested as one part of type application/json',
    })
  return name
}
