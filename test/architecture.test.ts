import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkArchitecture, readPackages } from './support/architecture.ts'

describe('the packages', () => {
  it('keep to the layers, the pure core, one clock, and their declared dependencies, without circles', () => {
    const files = readPackages(join(import.meta.dirname, '..'))
    expect(files.has('packages/core/src/index.ts')).toBe(true)
    expect(checkArchitecture(files)).toEqual([])
  })
})

const manifest = (...dependencies: string[]): string =>
  JSON.stringify({ dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])) })

const check = (files: Record<string, string>): string[] => checkArchitecture(new Map(Object.entries(files)))

/** What one file of core is blamed for. */
const inCore = (path: string, text: string): string[] => check({ [`packages/core/src/${path}`]: text })

describe('layers', () => {
  it.each([
    ['core', '@lastgood/redis'],
    ['core', '@lastgood/outage-lab'],
    ['outage-lab', '@lastgood/core'],
    ['redis', '@lastgood/anthropic'],
    ['anthropic', '@lastgood/redis'],
    ['anthropic', '@lastgood/outage-lab'],
    ['gateway', '@lastgood/fleet'],
    ['fleet', 'lastgood'],
    ['core', '@lastgood/core/file'],
  ])('%s may not import %s', (name, from) => {
    const files = (text: string): Record<string, string> => ({
      [`packages/${name}/package.json`]: manifest(from.split('/').slice(0, 2).join('/')),
      [`packages/${name}/src/a.ts`]: text,
    })
    const complaint = [`packages/${name}/src/a.ts:2: ${name} may not import ${from}`]
    expect(check(files(`\nimport { x } from '${from}'`))).toEqual(complaint)
    expect(check(files(`\nimport type { X } from '${from}'`))).toEqual(complaint)
    expect(check(files(`\nexport * from '${from}'`))).toEqual(complaint)
    expect(check(files(`\nconst x = await import('${from}')`))).toEqual(complaint)
  })

  it.each([
    ['redis', '@lastgood/core/testing'],
    ['anthropic', '@lastgood/core'],
    ['cli', '@lastgood/outage-lab'],
  ])('%s may import %s', (name, from) => {
    const files = {
      [`packages/${name}/package.json`]: manifest(from.split('/').slice(0, 2).join('/')),
      [`packages/${name}/src/a.ts`]: `import { x } from '${from}'`,
    }
    expect(check(files)).toEqual([])
  })

  it('lets tests and their fixtures import what they like', () => {
    expect(inCore('a.fixture.ts', `import { x } from '@lastgood/redis'`)).toEqual([])
    expect(inCore('a.test.ts', `import { x } from '@lastgood/redis'; setTimeout(x)`)).toEqual([])
  })

  it('refuses a relative path into another package', () => {
    expect(inCore('a.ts', `import { x } from '../../redis/src/b.ts'`)).toEqual([
      'packages/core/src/a.ts:1: ../../redis/src/b.ts leaves the package',
    ])
  })

  it('asks for a place for a new package', () => {
    expect(check({ 'packages/mail/src/a.ts': '' })).toEqual([
      'packages/mail/src/a.ts: mail has no place among the layers yet',
    ])
  })
})

describe('the pure modules of core', () => {
  it.each(['session.ts', 'session/driver.ts', 'store/memory-store.ts', 'file/index.ts'])('do not import %s', (file) => {
    const files = {
      [`packages/core/src/${file}`]: '',
      'packages/core/src/policy.ts': `import type { X } from './${file}'`,
    }
    expect(check(files)).toEqual([`packages/core/src/policy.ts: pure, but reaches packages/core/src/${file}`])
  })

  it('do not reach them through another file either, nor from a folder', () => {
    const files = {
      'packages/core/src/session.ts': '',
      'packages/core/src/names.ts': `export { x } from './session.ts'`,
      'packages/core/src/repair/rules.ts': `import { x } from '../names.ts'`,
    }
    expect(check(files)).toEqual([
      'packages/core/src/repair/rules.ts: pure, but reaches packages/core/src/names.ts -> packages/core/src/session.ts',
    ])
  })
})

describe('time and randomness', () => {
  it.each([
    ['Date.now', 'const at = Date.now()'],
    ['Date.now', 'const now: () => number = Date.now'],
    ['new Date()', 'const at = new Date()'],
    ['new Date()', 'const at = Date()'],
    ['Math.random', 'const rnd = Math.random()'],
    ['performance.now', 'const at = performance.now()'],
    ['setTimeout', 'setTimeout(() => {}, 10)'],
    ['setTimeout', 'const timers = { setTimeout }'],
    ['globalThis.setInterval', 'globalThis.setInterval(() => {}, 10)'],
    ['crypto.randomUUID', 'const id = crypto.randomUUID()'],
    ['randomUUID', `import { randomUUID } from 'node:crypto'; export const id = randomUUID()`],
    ['node:timers/promises', `import { setTimeout as sleep } from 'node:timers/promises'`],
  ])('%s belongs to the clock: %s', (name, text) => {
    const complaint = (path: string): string => `${path}:1: ${name} belongs to packages/core/src/clock.ts`
    expect(inCore('a.ts', text)).toEqual([complaint('packages/core/src/a.ts')])
    expect(check({ 'packages/cli/src/a.ts': text })).toEqual([complaint('packages/cli/src/a.ts')])
    expect(inCore('clock.ts', text)).toEqual([])
    expect(inCore('testing/manual-clock.ts', text)).toEqual([])
    expect(check({ 'packages/outage-lab/src/a.ts': text })).toEqual([])
  })

  it.each([
    'const text = new Date(0).toISOString()',
    'clock.setTimeout(() => {}, 10)',
    'const timers = { setTimeout: 1 }',
    'class Timers { setTimeout() {} }',
    'let timer: ReturnType<typeof setTimeout>',
    `// Date.now() in a comment, and 'Math.random()' in a string\nconst text = 'Date.now()'`,
  ])('lets pass: %s', (text) => {
    expect(inCore('a.ts', text)).toEqual([])
  })
})

describe('the outside world', () => {
  it.each(['node:fs', 'node:fs/promises', 'fs'])(
    '%s is imported in core only by the file store and the owner',
    (from) => {
      const text = `import { readFileSync } from '${from}'`
      expect(inCore('a.ts', text)).toEqual([`packages/core/src/a.ts:1: in core only file/ and owner.ts import ${from}`])
      expect(inCore('file/chain.ts', text)).toEqual([])
      expect(inCore('store/owner.ts', text)).toEqual([])
      expect(check({ 'packages/redis/src/a.ts': text })).toEqual([])
    },
  )

  it.each([
    ['const home = process.env.HOME', 'only cli reads process.env'],
    ['const { env } = process', 'only cli reads process.env'],
    ['const [, , name] = process.argv', 'only cli reads process.argv'],
    [`import { env, pid } from 'node:process'`, 'only cli takes env, pid from node:process'],
    [`import process from 'node:process'`, 'only cli takes * from node:process'],
    [`const { env } = await import('node:process')`, 'only cli takes * from node:process'],
  ])('%s: %s', (text, complaint) => {
    expect(inCore('a.ts', text)).toEqual([`packages/core/src/a.ts:1: ${complaint}`])
    expect(check({ 'packages/cli/src/a.ts': text })).toEqual([])
  })

  it('may be asked for what does not configure the program', () => {
    expect(inCore('a.ts', 'const pid = process.pid')).toEqual([])
    expect(inCore('a.ts', `import { platform } from 'node:process'`)).toEqual([])
  })
})

describe('circles', () => {
  it('are found over any number of files, once, types included', () => {
    const files = {
      'packages/core/src/a.ts': `import { b } from './b.ts'`,
      'packages/core/src/b.ts': `export * from './deep/c.ts'`,
      'packages/core/src/deep/c.ts': `import type { A } from '../a.ts'`,
      'packages/core/src/d.ts': `import { a } from './a.ts'`,
    }
    const [a, b, c] = Object.keys(files)
    expect(check(files)).toEqual([`${a}: imports in a circle: ${a} -> ${b} -> ${c} -> ${a}`])
  })

  it('are not seen where two ways lead to one file', () => {
    const files = {
      'packages/core/src/a.ts': `import './b.ts'; import './c.ts'`,
      'packages/core/src/b.ts': `import './d.ts'`,
      'packages/core/src/c.ts': `import './d.ts'`,
      'packages/core/src/d.ts': '',
    }
    expect(check(files)).toEqual([])
  })
})

describe('dependencies', () => {
  it('that are imported must be declared', () => {
    const files = {
      'packages/redis/package.json': JSON.stringify({ devDependencies: { ioredis: '*' } }),
      'packages/redis/src/a.ts': `import type { Redis } from 'ioredis'\nimport { connect } from 'node:net'`,
    }
    expect(check(files)).toEqual([
      'packages/redis/src/a.ts:1: ioredis is not in the dependencies of packages/redis/package.json',
    ])
  })

  it('that are declared must be imported outside the tests', () => {
    const files = {
      'packages/core/package.json': manifest('zod', 'xstate', '@sdk/lib'),
      'packages/core/src/a.ts': `import { z } from 'zod'; import x from '@sdk/lib/deep'`,
      'packages/core/src/a.test.ts': `import { setup } from 'xstate'`,
    }
    expect(check(files)).toEqual(['packages/core/package.json: xstate is declared, but nothing imports it'])
  })

  it('that are peers count as declared, and need not be imported', () => {
    const files = {
      'packages/redis/package.json': JSON.stringify({ peerDependencies: { ioredis: '*', zod: '*' } }),
      'packages/redis/src/a.ts': `import type { z } from 'zod'`,
    }
    expect(check(files)).toEqual([])
  })

  it('of a package without any code yet are left alone', () => {
    const files = { 'packages/cli/package.json': manifest('commander'), 'packages/cli/src/index.ts': 'export {}' }
    expect(check(files)).toEqual([])
  })
})
