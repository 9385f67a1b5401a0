import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { discover } from '../../src/job/discover.ts'
import { project, type Project } from '../helpers/project.ts'

const found = (dir: Project, roots = ['jobs', 'scripts']) => {
  const { files, broken, missing } = discover(roots, dir.dir)
  return {
    files: files.map(({ name, kind }) => `${name} ${kind}`),
    broken: broken.map(({ name, code, message, hint }) => ({ name, code, message, ...(hint && { hint }) })),
    missing,
  }
}

describe('discover', () => {
  test('names jobs by their path, of every root and module extension, sorted', () => {
    using dir = project({
      'jobs/zoo.ts': '',
      'jobs/emails/send.mts': '',
      'jobs/emails/old/send.cts': '',
      'scripts/a.js': '',
      'scripts/b.mjs': '',
      'scripts/c.v2.cjs': '',
    })
    expect(found(dir)).toEqual({
      files: [
        'a module',
        'b module',
        'c.v2 module',
        'emails/old/send module',
        'emails/send module',
        'zoo module',
      ],
      broken: [],
      missing: [],
    })
  })

  test('takes what starts with #! and may be executed as an executable, whatever its extension', () => {
    using dir = project({
      'scripts/reindex.sh': '#!/bin/sh\n',
      'scripts/bare': '#!/bin/sh\n',
      'scripts/tool.ts': '#!/usr/bin/env node\n',
      'scripts/module.ts': '#!/usr/bin/env node\n',
    })
    chmodSync(dir.path('scripts/module.ts'), 0o644)
    expect(found(dir).files).toEqual([
      'bare executable',
      'module module',
      'reindex executable',
      'tool executable',
    ])
  })

  test('reports a script that is not executable, with the command that makes it one', () => {
    using dir = project({ 'scripts/reindex.sh': '#!/bin/sh\n' })
    chmodSync(dir.path('scripts/reindex.sh'), 0o644)
    expect(found(dir, ['scripts'])).toEqual({
      files: [],
      broken: [
        {
          name: 'reindex',
          code: 'JOB_FILE_INVALID',
          message: 'scripts/reindex.sh: starts with #! but is not executable',
          hint: 'chmod +x scripts/reindex.sh',
        },
      ],
      missing: [],
    })
  })

  test('skips what is not a job', () => {
    using dir = project({
      'jobs/README.md': '#',
      'jobs/data.json': '{}',
      'jobs/empty': '',
      'jobs/_shared.ts': '',
      'jobs/.hidden.ts': '',
      'jobs/_lib/a.ts': '',
      'jobs/.cache/a.ts': '',
      'jobs/node_modules/a/index.js': '',
      'jobs/types.d.ts': '',
      'jobs/a.test.ts': '',
      'jobs/a.spec.mjs': '',
    })
    expect(found(dir, ['jobs'])).toEqual({ files: [], broken: [], missing: [] })
  })

  test('loads neither of two files of one name, and names both', () => {
    using dir = project({ 'jobs/send.ts': '', 'scripts/send.js': '', 'jobs/fine.ts': '' })
    const { files, broken } = found(dir)
    expect(files).toEqual(['fine module'])
    expect(broken).toEqual([
      {
        name: 'send',
        code: 'JOB_DUPLICATE',
        message: 'jobs/send.ts: the job name send is also that of scripts/send.js',
        hint: 'rename one; neither is loaded',
      },
      {
        name: 'send',
        code: 'JOB_DUPLICATE',
        message: 'scripts/send.js: the job name send is also that of jobs/send.ts',
        hint: 'rename one; neither is loaded',
      },
    ])
  })

  test('takes a root given twice, or by another path, once', () => {
    using dir = project({ 'jobs/a.ts': '' })
    symlinkSync(dir.path('jobs'), dir.path('alias'))
    expect(found(dir, ['jobs', './jobs/', 'alias']).files).toEqual(['a module'])
  })

  test('says which roots are missing or no folders', () => {
    using dir = project({ 'jobs/a.ts': '', file: '' })
    expect(found(dir, ['jobs', 'nope', 'file'])).toEqual({
      files: ['a module'],
      broken: [],
      missing: ['nope', 'file'],
    })
  })

  test.each(['a:b', 'a b', 'a$b', "a'b", '-a', 'x/-a:'])('refuses the name %j', name => {
    using dir = project({ [`jobs/${name}.ts`]: '' })
    const { files, broken } = found(dir, ['jobs'])
    expect(files).toEqual([])
    expect(broken).toMatchObject([{ code: 'JOB_FILE_INVALID', name }])
    expect(broken[0]!.message).toMatch(/a job name cannot (contain|start with) "/)
  })

  test('follows links inside a root, refuses links out of it, and ends on a loop', () => {
    using dir = project({ 'jobs/real/a.ts': '', 'outside/b.ts': '', 'outside/c.ts': '' })
    symlinkSync(dir.path('jobs/real/a.ts'), dir.path('jobs/link.ts'))
    symlinkSync(dir.path('outside/b.ts'), dir.path('jobs/out.ts'))
    symlinkSync(dir.path('outside'), dir.path('jobs/folder'))
    symlinkSync(dir.path('nowhere'), dir.path('jobs/dangling.ts'))
    symlinkSync(dir.path('jobs'), dir.path('jobs/real/loop'))
    const { files, broken } = found(dir, ['jobs'])
    expect(files).toEqual(['link module', 'real/a module'])
    expect(broken.map(one => one.message)).toEqual([
      'jobs/dangling.ts: is a link to nothing',
      `jobs/folder: is a link out of jobs, to ${dir.path('outside')}`,
      `jobs/out.ts: is a link out of jobs, to ${dir.path('outside/b.ts')}`,
    ])
  })

  test('gives the real path of a link, so that its imports resolve from where it is', () => {
    using dir = project({ 'jobs/real/a.ts': '' })
    symlinkSync(dir.path('jobs/real/a.ts'), dir.path('jobs/link.ts'))
    const { files } = discover(['jobs'], dir.dir)
    expect(files.map(file => file.file)).toEqual([dir.path('jobs/real/a.ts'), dir.path('jobs/real/a.ts')])
  })

  test('finds nothing in an empty folder', () => {
    using dir = project()
    mkdirSync(dir.path('jobs'))
    expect(found(dir, ['jobs'])).toEqual({ files: [], broken: [], missing: [] })
  })
})
