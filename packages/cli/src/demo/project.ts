/**
 * The small project that the demo's agent works on: a library with two bugs, tests that reveal them, and a migration
 * that must not run twice.
 *
 * 1. `migrations.log` is the migration's ledger, tracked by git: a second run leaves a second line for good.
 * 2. The line is written as soon as the migration starts; the agent is killed in the seconds that follow.
 */

/** A truncated screenshot, as after an upload that broke off: it starts with the header of a PNG. */
export const picturePath = 'docs/wrong-address.png'
export const pictureData =
  'iVBORw0KGgoAAAANSUhEUgAAAoAAAAFoCAIAAABIUN0GAAAQAElEQVR4nO3BMQEAAADCoP5ll8EYPkABAAAAAAAAAAAAAAA='

/** Paths inside the repository, with their content. `partMs`: how long each of the migration's eight parts takes. */
export function projectFiles(partMs: number): Readonly<Record<string, string>> {
  return { ...fixedFiles, 'scripts/migrate.mjs': migrationScript(partMs) }
}

const fixedFiles = {
  'package.json': `${JSON.stringify(
    { name: 'sluggish', version: '1.3.0', private: true, type: 'module', scripts: { test: 'node --test' } },
    undefined,
    2,
  )}\n`,

  'README.md': `# sluggish

Slugs and days for a blog.

- \`slug(title)\` makes the part of an address that names a post: \`Hello, World!\` becomes \`hello-world\`.
- \`day(date)\` writes a day as people sort it: \`2026-03-07\`.

The address of a post is wrong: \`docs/wrong-address.png\` shows it.

Run the tests with \`node --test\`. After a change of \`slug\`, run \`node scripts/migrate.mjs\` ONCE: it adds a line to
\`migrations.log\` and rewrites the addresses of all posts. Commit the log together with the change.
`,

  'src/slug.js': `/** The part of an address that names a post. */
export function slug(title) {
  return title.toLowerCase().replace(/[^a-z0-9]/g, '-')
}
`,

  'src/day.js': `/** A day as people sort it: 2026-03-07. */
export function day(date) {
  return [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()].join('-')
}
`,

  'src/address.js': `import { day } from './day.js'
import { slug } from './slug.js'

/** Where a post is to be found. */
export function address({ title, date }) {
  return \`/\${day(date)}/\${slug(title)}\`
}
`,

  'test/slug.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slug } from '../src/slug.js'

test('a slug is lower case', () => assert.equal(slug('Hello'), 'hello'))
test('a slug has one dash between words and none at its ends', () => assert.equal(slug('Hello, World!'), 'hello-world'))
`,

  'test/day.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { day } from '../src/day.js'

test('a day has the year first', () => assert.match(day(new Date(0)), /^1970-/))
test('a day counts months from 01', () => assert.equal(day(new Date('2026-03-07')), '2026-03-07'))
`,

  'migrations.log': '0001 create-posts\n',
}

const migrationScript = (partMs: number): string => `// Not idempotent: every run adds a line to migrations.log.
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

appendFileSync('migrations.log', '0002 rewrite-slugs\\n')
for (let part = 1; part <= 8; part += 1) {
  await sleep(${partMs})
  console.log(\`rewrote the addresses of part \${part} of 8\`)
}
const lines = readFileSync('migrations.log', 'utf8').trim().split('\\n').length
console.log(\`done: migrations.log has \${lines} lines\`)
`

/** The module that the agent rewrites, in its first state. */
export const brokenDay = fixedFiles['src/day.js']

/** The line that one run of the migration writes. */
export const migrationLine = '0002 rewrite-slugs'

export const migrationCommand = 'node scripts/migrate.mjs'
export const testCommand = 'node --test'
export const commitSubject = 'fix: slugs without double dashes, days with real months'

/** What the agent is asked, turn by turn. */
export const prompts = [
  'Look around and tell me what is broken.',
  'Make the tests pass, run the migration, and commit.',
] as const
