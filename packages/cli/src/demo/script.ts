/**
 * What the demo's model says. Every move reads what the tools returned; nothing is assumed.
 *
 * 1. Before a call of unknown outcome is repeated, its effect is checked. The real model is told to do the same, so the
 *    agent can be stopped at any moment.
 * 2. A file changed twice, or a ledger with two lines for one migration, ends the story.
 */
import { StoryError, text, thinking, toolUse, type Block, type ToolOutcome } from '@lastgood/outage-lab'
import {
  brokenDay,
  commitSubject,
  migrationCommand,
  migrationLine,
  picturePath,
  prompts,
  testCommand,
} from './project.ts'
import { playScript, type Move } from './story.ts'

const fixedSlug = `title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')`
const brokenSlug = `title.toLowerCase().replace(/[^a-z0-9]/g, '-')`
const fixedDay = brokenDay.replace(/return .*/, 'return date.toISOString().slice(0, 10)')
const sources = ['src/slug.js', 'src/day.js'] as const
const commit = `git add -A && git commit -m "${commitSubject}"`

/** A pure function of the transcript; see `playScript`. */
export const playDemo = playScript((prompt) => {
  if (prompt === prompts[0]) return look
  if (prompt === prompts[1]) return search
  return { say: [text(`I play a script, and it only knows: "${prompts.join('" and "')}"`)] }
})

const look: Move = {
  say: [text('I will look at the project first.'), toolUse('list', { path: '.' })],
  next: ([listed]) => {
    expectIn(listed, /src\/slug\.js/, /scripts\/migrate\.mjs/, picturePath)
    return seePicture
  },
}

const seePicture: Move = {
  say: [text('There is a screenshot. I will look at it.'), toolUse('look', { path: picturePath })],
  next: ([seen]) => {
    const isLeftOut = /left out/.test(seen?.text ?? '')
    const words = isLeftOut
      ? 'It cannot be read, so I will read the code: two modules.'
      : 'A wrong address. I will read both modules.'
    return readSources([...sources], words)
  },
}

function readSources(paths: readonly string[], words = 'And the other one.'): Move {
  return {
    say: [
      ...(paths.length > 1
        ? [thinking('Two modules and two test files. I will read both modules before I run anything.')]
        : []),
      text(words),
      ...paths.map((path) => toolUse('read', { path })),
    ],
    next: (results) => {
      results.forEach((result, i) => expectIn(result, paths[i] === sources[0] ? brokenSlug : /getUTCMonth\(\)/))
      const left = paths.slice(results.length)
      return left.length > 0 ? readSources(left) : seeFailures
    },
  }
}

const seeFailures: Move = {
  say: [text('Now the tests.'), toolUse('run', { command: testCommand })],
  next: ([ran]) => {
    if (isInDoubt(ran))
      return { ...seeFailures, say: again('Tests change nothing, so I can run them again.', testCommand) }
    expectTests(ran, { pass: 2, fail: 2 })
    return {
      say: [
        text(
          'Two of the four tests fail. `slug` leaves a dash for every character that it drops, so "Hello, World!" becomes ' +
            '`hello--world-`. `day` forgets that months count from zero and does not pad them.',
        ),
      ],
    }
  },
}

const search: Move = {
  say: [
    thinking('Before I change the two functions I want to know who calls them: a fix must not break a caller.'),
    text('First I will check who calls them.'),
    toolUse('grep', { pattern: 'slug\\(|day\\(', path: 'src' }),
  ],
  next: ([found]) => {
    expectIn(found, 'src/address.js:6:')
    return editSlug('Only `address` does. I will fix `slug`.')
  },
}

function editSlug(words: string): Move {
  const call = toolUse('edit', { path: sources[0], old: brokenSlug, new: fixedSlug })
  return {
    say: [text(words), call],
    next: ([edited]) => {
      if (isInDoubt(edited)) {
        return lookAgain(sources[0], (now) =>
          now.includes(fixedSlug) ? writeDay : editSlug('It has not changed yet.'),
        )
      }
      expectIn(edited, 'edited src/slug.js')
      return writeDay
    },
  }
}

const writeDay: Move = writeDayAfter('And I will rewrite `day`.')

function writeDayAfter(words: string): Move {
  return {
    say: [text(words), toolUse('write', { path: sources[1], content: fixedDay })],
    next: ([written]) => {
      if (isInDoubt(written)) {
        return lookAgain(sources[1], (now) =>
          now === fixedDay ? seeSuccess : writeDayAfter('It is still the old one.'),
        )
      }
      expectIn(written, 'changed src/day.js')
      return seeSuccess
    },
  }
}

const seeSuccess: Move = {
  say: [text('Do the tests pass now?'), toolUse('run', { command: testCommand })],
  next: ([ran]) => {
    if (isInDoubt(ran))
      return { ...seeSuccess, say: again('Tests change nothing, so I can run them again.', testCommand) }
    expectTests(ran, { pass: 4, fail: 0 })
    return migrate([
      thinking(
        'All four pass. `slug` changed, so the README wants the migration: once, and its log in the same commit.',
      ),
      text('All four pass. Now the migration; it may run only once.'),
    ])
  },
}

function migrate(words: readonly Block[]): Move {
  return {
    say: [...words, toolUse('run', { command: migrationCommand })],
    next: ([ran]) => {
      if (isInDoubt(ran)) return lookAtLedger
      expectIn(ran, /done: migrations\.log has 2 lines/)
      return commitAll('The migration is done. Now I commit.', commit)
    },
  }
}

const lookAtLedger: Move = {
  say: [
    thinking('The migration was interrupted; how far it got is unknown. It must not run twice: its log knows.'),
    text('I do not know whether the migration ran. I will read its log before I repeat anything.'),
    toolUse('read', { path: 'migrations.log' }),
  ],
  next: ([ledger]) => {
    expectIn(ledger, '0001 create-posts')
    const lines = (ledger?.text ?? '').split('\n').filter((line) => line === migrationLine).length
    if (lines > 1) throw new StoryError(`story: the migration ran ${lines} times`)
    if (lines === 0) return migrate([text('It has no line for it: it did not run. I will run it.')])
    return commitAll('The line is there: it was applied, so I will not repeat it. Now I commit.', commit)
  },
}

function commitAll(words: string, command: string): Move {
  return {
    say: [text(words), toolUse('run', { command })],
    next: ([committed]) => {
      if (isInDoubt(committed)) return lookForCommit
      expectIn(committed, '3 files changed')
      return done
    },
  }
}

const lookForCommit: Move = {
  say: [text('Was that committed?'), toolUse('run', { command: 'git log --format=%s' })],
  next: ([log]) => {
    if (isInDoubt(log)) return lookForCommit
    expectIn(log, 'the project')
    if (log?.text.includes(commitSubject)) return done
    return commitAll('It was not. Now I commit.', `rm -f .git/index.lock && ${commit}`)
  },
}

const done: Move = {
  say: [
    text('Done: `slug` and `day` are fixed, all four tests pass, the migration ran once, and everything is committed.'),
  ],
}

/** Looks at a file whose change has an unknown outcome. */
function lookAgain(path: string, follow: (now: string) => Move): Move {
  return {
    say: [text('I do not know whether that was done. I will look before I repeat it.'), toolUse('read', { path })],
    next: ([file]) => {
      expectIn(file, 'export function')
      return follow(file?.text ?? '')
    },
  }
}

const again = (words: string, command: string): Block[] => [text(words), toolUse('run', { command })]

/** Whether the call was interrupted: its tool was stopped, or its process died. */
function isInDoubt(outcome: ToolOutcome | undefined): boolean {
  return outcome?.isError === true && /outcome is unknown/.test(outcome.text)
}

function expectIn(outcome: ToolOutcome | undefined, ...wanted: (string | RegExp)[]): void {
  for (const one of wanted) {
    const found = outcome?.text ?? ''
    if (typeof one === 'string' ? found.includes(one) : one.test(found)) continue
    throw new StoryError(
      `story: ${outcome?.name ?? 'a call'} should return ${String(one)}, but returned ${JSON.stringify(found.slice(0, 400))}`,
    )
  }
}

function expectTests(outcome: ToolOutcome | undefined, wanted: { pass: number; fail: number }): void {
  for (const [what, count] of Object.entries(wanted)) expectIn(outcome, new RegExp(`^\\W+${what} ${count}$`, 'm'))
}
