/**
 * `lastgood show --html`: a session as one page, for a post-mortem: the timeline, which loads and sends nothing.
 *
 * 1. Content is included only if asked for; secrets of a known shape are then masked. See `shown-entry.ts`.
 * 2. What came from outside is data in the page, never markup: the JSON contains no `<`, and the page's policy allows
 *    only its own script.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LastgoodError } from '@lastgood/core'
import type { SessionDocument } from '@lastgood/dashboard'
import type { CliContext } from '../context.ts'
import { builtPage } from '../dashboard/page-files.ts'
import { sessionDocument } from '../dashboard/session-document.ts'
import { writeNewFile } from '../new-file.ts'
import type { OpenStore } from '../stores.ts'
import type { SessionRow } from '../sessions/session-row.ts'
import { safeCommand, safeJson, safeLine } from '../text.ts'

export interface HtmlOptions {
  /** A file name, `-` for stdout, or true: a name derived from the session's. */
  readonly html: string | true
  readonly withContent: boolean
  readonly force: boolean
  readonly flags: readonly string[]
}

/** Errors: those of reading the journal and of writing the file. */
export async function showHtml(
  context: CliContext,
  { opened, row }: { opened: OpenStore; row: SessionRow },
  options: HtmlOptions,
): Promise<void> {
  const { html, withContent, force } = options
  const page = pageOf(await documentOf(context, opened, row, options), template())
  if (html === '-') {
    context.stdout.write(page)
    return
  }
  const path = resolve(context.cwd, html === true ? `${row.head.sessionId}.html` : html)
  await writeNewFile(path, [page], { force, id: context.clock.newId() })
  const what = withContent ? 'with content: treat it like the source code' : 'without content'
  context.stderr.write(`✔ ${safeLine(row.head.sessionId)} as one page, ${what}\n`)
  context.stdout.write(`${safeCommand(path)}\n`)
}

/** The page that shows a document. Pure. */
export function pageOf(document: SessionDocument, page: string): string {
  const data = safeJson(document).replaceAll('<', '\\u003c')
  const [before, after, ...more] = page.split(place)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error('the template has no one place for data')
  return `${before}${place.replace('null', () => data)}${after}`
}

const place = '<script type="application/json" id="session">null</script>'

async function documentOf(
  { clock }: CliContext,
  { store }: OpenStore,
  row: SessionRow,
  { flags, withContent }: HtmlOptions,
): Promise<SessionDocument> {
  // The file reports what the journal knows; a status page knows only the present.
  const page = { off: 'a report asks nobody' }
  const facts = { store, row, flags, agents: new Set<string>(), page, prices: undefined, started: null }
  return sessionDocument({ ...facts, now: clock.now(), hasContent: withContent })
}

function template(): string {
  const path = join(builtPage(), 'report.html')
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new LastgoodError('bad-option', 'the page of reports was not built: this is a checkout of the sources', {
      hint: 'build it: pnpm build',
      cause,
    })
  }
}
