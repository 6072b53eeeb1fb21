import type * as Files from 'node:fs'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryStore } from '@lastgood/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { newFolder } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'
import { builtPage, pageFiles } from './page-files.ts'

/** Whether folders are read as Yarn's Plug'n'Play reads those of an archive. */
let isArchive = false
vi.mock('node:fs', async (original) => {
  const real = await original<typeof Files>()
  const readdirSync = ((...args: Parameters<typeof real.readdirSync>) =>
    real
      .readdirSync(...args)
      .map((one) =>
        isArchive && typeof one === 'object' ? Object.assign(one, { path: '.', parentPath: '.' }) : one,
      )) as typeof real.readdirSync
  return { ...real, readdirSync }
})

function built() {
  const root = newFolder()
  const page = join(root, 'page')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html><script type="module" src="./assets/main-a1b2.js"></script>')
  writeFileSync(join(page, 'assets', 'main-a1b2.js'), 'run()')
  writeFileSync(join(page, 'favicon.svg'), '<svg/>')
  writeFileSync(join(page, 'report.html'), 'a template')
  writeFileSync(join(page, 'notes.md'), 'of no kind that a page has')
  writeFileSync(join(root, 'secret.txt'), 'secret')
  symlinkSync(join(root, 'secret.txt'), join(page, 'link.txt'))
  return page
}

describe.each(['', '/dashboard'])('the page at "%s/"', (prefix) => {
  const ask = async (path: string, page = built(), headers: Record<string, string> = {}) => {
    const response = await stage(memoryStore(), { files: pageFiles(page), prefix }).ask(`${prefix}${path}`, { headers })
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
  }

  test('is its files, each with its type; those whose names change with their content are kept', async () => {
    expect(await ask('/')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
    })
    expect(await ask('/assets/main-a1b2.js')).toMatchObject({
      status: 200,
      body: 'run()',
      headers: {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
      },
    })
    expect(await ask('/favicon.svg')).toMatchObject({ headers: { 'content-type': 'image/svg+xml' } })
  })

  test('is not sent again to who has it', async () => {
    const page = built()
    const { headers } = await ask('/', page)
    const again = await ask('/', page, { 'if-none-match': headers['etag'] ?? '' })
    expect({ status: again.status, body: again.body }).toEqual({ status: 304, body: '' })
  })

  test('is nothing else of its folder, and nothing outside of it', async () => {
    for (const path of [
      '/report.html',
      '/notes.md',
      '/link.txt',
      '/../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets',
      '/assets/',
    ]) {
      const { status, body } = await ask(path)
      expect(body).not.toContain('secret')
      expect(status).toBe(404)
    }
  })

  test('names the command that builds it where it was not built, and is there as soon as it was', async () => {
    const page = join(newFolder(), 'page')
    const { ask: say } = stage(memoryStore(), { files: pageFiles(page), prefix })
    const before = await say(`${prefix}/`)
    expect(before.status).toBe(503)
    expect(await before.text()).toContain('<pre>pnpm build</pre>')
    mkdirSync(page)
    writeFileSync(join(page, 'index.html'), 'built')
    expect(await (await say(`${prefix}/`)).text()).toBe('built')
  })
})

test('below a prefix the page’s own address ends in a slash: what it asks for is relative', async () => {
  const { ask } = stage(memoryStore(), { files: pageFiles(built()), prefix: '/dashboard' })
  const { status, headers } = await ask('/dashboard')
  expect({ status, to: new URL(headers.get('location') ?? '', 'http://x/dashboard').pathname }).toEqual({
    status: 308,
    to: '/dashboard/',
  })
})

test("it is whole in an archive of Yarn's Plug'n'Play", async () => {
  isArchive = true
  onTestFinished(() => void (isArchive = false))
  const files = pageFiles(built())
  const there = ['', 'assets/main-a1b2.js', 'favicon.svg', 'link.txt'].map((path) => files.fileAt(path)?.type)
  expect(there).toEqual(['text/html; charset=utf-8', 'text/javascript; charset=utf-8', 'image/svg+xml', undefined])
})

test('it is looked for beside the package of its documents', () => {
  expect(builtPage()).toMatch(/dashboard[\\/]dist[\\/]page$/)
})
