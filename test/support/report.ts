/** Tables for a terminal or for Markdown, and what every number needs beside it: machine, versions, commit. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'

export interface Surroundings {
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  readonly node: string
  /** The commit of this repository; with `+` if files differ from it. */
  readonly commit: string
}

export function surroundings(): Surroundings {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+'),
  }
}

export function surroundingsLine({ cpu, cores, platform, node, commit }: Surroundings): string {
  return `${cpu}, ${cores} cores, ${platform}, Node ${node}, commit ${commit}`
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[], isMarkdown: boolean) {
  const all = [columns, ...rows]
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  const lines = all.map((row) => {
    const cells = widths.map((width, at) => (row[at] ?? '').padEnd(width))
    return isMarkdown ? `| ${cells.join(' | ')} |` : cells.join('  ').trimEnd()
  })
  const rule = isMarkdown
    ? `|${columns.map(() => '---').join('|')}|`
    : widths.map((width) => '-'.repeat(width)).join('  ')
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
