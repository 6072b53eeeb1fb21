// What tests of the documentation need to know of a Markdown file: its fences, its inline code, its links, its headings.

export interface Fence {
  /** `ts`, `sh`, …; empty without one. */
  language: string
  text: string
  /** Line of the fence's opening, from 1. */
  line: number
}

export interface Markdown {
  lines: readonly string[]
  fences: readonly Fence[]
  /** Inline code, outside of fences. */
  code: readonly string[]
  /** Targets of links, outside of fences. */
  links: readonly string[]
  /** What `#…` can point at. */
  anchors: ReadonlySet<string>
  /** The cells of all rows of all tables, without heads and rulers. */
  rows: readonly (readonly string[])[]
}

export function readMarkdown(text: string): Markdown {
  const lines = text.split('\n')
  const fences: Fence[] = []
  const prose: string[] = []
  let open: { language: string; line: number; body: string[] } | undefined
  for (const [i, line] of lines.entries()) {
    const mark = /^```(\w*)$/.exec(line)
    if (mark && !open) open = { language: mark[1] ?? '', line: i + 1, body: [] }
    else if (mark && open) {
      fences.push({ language: open.language, line: open.line, text: `${open.body.join('\n')}\n` })
      open = undefined
    } else if (open) open.body.push(line)
    else prose.push(line)
  }
  if (open) throw new Error(`the fence of line ${open.line} is not closed`)
  const all = prose.join('\n')
  return {
    lines,
    fences,
    code: Array.from(all.matchAll(/`([^`\n]+)`/g), ([, code = '']) => code),
    links: Array.from(all.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target),
    anchors: new Set(prose.flatMap((line) => (/^#+ /.test(line) ? [anchorOf(line.replace(/^#+ /, ''))] : []))),
    rows: rowsOf(prose),
  }
}

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function rowsOf(prose: readonly string[]): string[][] {
  const isRow = (line: string | undefined) => line !== undefined && line.startsWith('|')
  const isRuler = (line: string | undefined) => /^\|[-| ]+$/.test(line ?? '')
  return prose
    .filter((line, i) => isRow(line) && !isRuler(line) && !isRuler(prose[i + 1]))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}
