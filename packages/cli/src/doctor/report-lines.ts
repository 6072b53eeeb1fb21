/**
 * A doctor's report as lines for people. Pure. A finding's severity is a word and a shape, with or without colour; its
 * mend stays on one line, however long, so that it can be copied.
 */
import { counted } from '../numbers.ts'
import type { Palette } from '../terminal.ts'
import { safeCommand, safeLine, widthOf } from '../text.ts'
import { countOf, type DoctorFinding, type DoctorReport } from './report.ts'

export function reportLines(report: DoctorReport, columns: number, palette: Palette): string[] {
  const { nodeVersion, configuration, hasApiKey, sessions, findings } = report
  const config = configuration
    ? `${configuration.path} (${configuration.agents.length === 0 ? 'no agents' : `agents: ${configuration.agents.join(', ')}`})`
    : findings.some(({ about, severity }) => about === 'configuration' && severity === 'danger')
      ? 'cannot be loaded'
      : 'none'
  const facts = [
    ['node', nodeVersion],
    ['config', config],
    ['api key', hasApiKey ? 'ANTHROPIC_API_KEY is set' : 'ANTHROPIC_API_KEY is not set'],
    ['sessions', sessions ? sessionsLine(sessions) : 'could not be read'],
  ]
  return [
    ...facts.map(([name = '', text = '']) => `${palette.dim(name.padEnd(8))} ${safeLine(text)}`),
    '',
    ...findings.flatMap((finding) => [...findingLines(finding, columns, palette), '']),
    verdict(findings, palette),
  ]
}

function sessionsLine({ total, recoverable, tried }: NonNullable<DoctorReport['sessions']>): string {
  const some = tried < total ? `; only the newest ${tried} were opened to check them` : ''
  return `${total}, ${recoverable} of them to resume${some}`
}

function findingLines({ severity, what, risk, mend }: DoctorFinding, columns: number, palette: Palette): string[] {
  const { mark, paint } = shapes(palette)[severity]
  const [first = '', ...rest] = wrapped(what, columns - indent)
  return [
    `${paint(`${mark} ${severity.padEnd(indent - 3)}`)} ${palette.bold(first)}`,
    ...rest.map((line) => `${space}${palette.bold(line)}`),
    ...wrapped(risk, columns - indent - 6).map((line, i) => `${space}${i === 0 ? 'risk: ' : '      '}${line}`),
    `${space}fix:  ${palette.cyan(safeCommand(mend))}`,
  ]
}

const indent = '✖ warning '.length
const space = ' '.repeat(indent)

const shapes = ({ red, yellow, dim }: Palette) =>
  ({
    danger: { mark: '✖', paint: red },
    warning: { mark: '▲', paint: yellow },
    info: { mark: '·', paint: dim },
  }) as const

function verdict(findings: readonly DoctorFinding[], { red, yellow, green }: Palette): string {
  const dangers = countOf(findings, 'danger')
  const warnings = countOf(findings, 'warning')
  const notes = countOf(findings, 'info')
  const counts = [
    dangers > 0 && counted(dangers, 'danger'),
    warnings > 0 && counted(warnings, 'warning'),
    notes > 0 && counted(notes, 'note'),
  ].filter((text) => typeof text === 'string')
  if (dangers > 0) return red(counts.join(', '))
  const text = 'Nothing endangers what was recorded'
  return warnings > 0 ? yellow(`${text}: ${counts.join(', ')}`) : green([text, ...counts].join(': '))
}

/** `text` in lines of at most `columns`, broken between words; a longer word gets a line of its own. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of safeLine(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > columns) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
