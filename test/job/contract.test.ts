import { expect, it } from 'vitest'
import { z } from 'zod'
import { contract } from '../../src/job/contract.ts'
import { MIGRATION, job } from '../../src/job/define.ts'

const refusal = (options: object): unknown => {
  try {
    contract(options as never)
    return undefined
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint?: string }
    return [code, message, hint]
  }
}

it('keeps the options as they were given, frozen', () => {
  const mail = contract({
    queue: 'mail',
    name: 'emails/send',
    args: z.object({ to: z.email() }),
    timeout: '30s',
  })
  expect(mail).toMatchObject({ queue: 'mail', name: 'emails/send', timeout: '30s' })
  expect(Object.isFrozen(mail)).toBe(true)
})

it('is made from the definition of a job file, whose handler it leaves out', () => {
  const definition = job({ args: z.object({ id: z.int() }), attempts: 4, run: () => undefined })
  const made = contract({ name: 'users/import', ...definition, queue: 'imports' })
  expect(made).toMatchObject({ name: 'users/import', queue: 'imports', attempts: 4 })
  expect(made).not.toHaveProperty('run')
})

it('says which option cannot be, where it stands', () => {
  expect(refusal({ queue: 'mail', name: 'send', attempts: 0, timout: '3s' })).toEqual([
    'JOB_OPTION_INVALID',
    expect.stringMatching(/^contract send: .*option attempts: got 0.*unknown option timout/),
    'did you mean timeout?',
  ])
  expect(refusal({ queue: 'mail', name: 'send', backoff: { type: 'fixed', delay: '3 parsecs' } })).toEqual([
    'JOB_OPTION_INVALID',
    expect.stringContaining('3 parsecs'),
    undefined,
  ])
  expect(refusal({ queue: 'a:b', name: 'send' })).toContain('JOB_OPTION_INVALID')
})

it('refuses a name that no job can have, a missing queue, and a migration', () => {
  const hint = 'name it with letters, digits and - _ . / @ + ='
  expect(refusal({ queue: 'mail', name: 'a b' })).toEqual([
    'JOB_OPTION_INVALID',
    'contract "a b": a job name cannot contain " "',
    hint,
  ])
  expect(refusal({ queue: 'mail', name: '' })).toEqual([
    'JOB_OPTION_INVALID',
    'contract "": it has no name',
    hint,
  ])
  expect(refusal({ name: 'send' })).toEqual([
    'JOB_OPTION_INVALID',
    'contract send: it names no queue',
    undefined,
  ])
  const rows = { ...job({ run: () => undefined }), [MIGRATION]: {} }
  expect(refusal({ ...rows, queue: 'mail', name: 'rows' })).toContain('contract rows: it is a migration')
})
