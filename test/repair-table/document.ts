/** docs/repairs.md, made from the cases and the rules. */
import { localCases } from '../../packages/core/src/repair/request/cases.fixture.ts'
import { rejectedRules } from '../../packages/core/src/repair/request/rejected.ts'
import { refusedCases } from '../../packages/core/src/repair/request/refused-cases.fixture.ts'
import { transcriptCases } from '../../packages/core/src/repair/transcript/cases.fixture.ts'
import { localRules } from '../../packages/core/src/repair/transcript/repair-transcript.ts'
import { heldElsewhere, repairRows, sourceOf, type Safety } from './rows.ts'

export interface RepairCase {
  readonly row?: number | undefined
  readonly rule: string
  readonly claim: string
  readonly when: 'before' | 'refused'
  readonly changesMessages: boolean
}

export const repairCases: readonly RepairCase[] = [
  ...transcriptCases.map(
    ({ row, rule, claim, messages, repaired }) =>
      ({
        row,
        rule,
        claim,
        when: 'before',
        changesMessages: JSON.stringify(messages) !== JSON.stringify(repaired),
      }) as const,
  ),
  // With a test of its own: what is put between the answers is not the matter.
  {
    row: 14,
    rule: 'merged-answers',
    claim: 'two answers with thinking are parted, unless the first was paused',
    when: 'before',
    changesMessages: true,
  },
  ...localCases.map(
    ({ row, rule, claim, out }) => ({ row, rule, claim, when: 'before', changesMessages: 'messages' in out }) as const,
  ),
  ...refusedCases.map(
    ({ row, rule, claim, out }) => ({ row, rule, claim, when: 'refused', changesMessages: 'messages' in out }) as const,
  ),
]

const introduction = `# What lastgood repairs

Made by \`test/repair-table.test.ts\` from the cases of the rules: each line is a case that a test plays.
\`npx vitest run test/repair-table.test.ts -u\` writes the page anew.

The Messages API refuses a conversation whose parts do not fit together, and refuses it again each time it is sent. lastgood
looks at every request before it leaves and mends what is plainly broken ("before"); some things only the API knows, and they
are mended on its own words, each rule once ("refused"). A request that the API takes is not touched. What is recorded stays
as it is: a repair is an edit that lies over it, in the journal as \`transcript-repaired\`, with names and counts, no content.
\`lastgood repair <session>\` shows ahead what the next request will be mended in, and \`lastgood repair <file>\` mends transcripts
that other programs keep.

Thinking blocks of newer models are signed against everything before them
([preserved thinking](https://platform.claude.com/docs/en/build-with-claude/preserved-thinking)). The last column says what a
repair means for them:

- \`settings\`: nothing that is signed is touched.
- \`end\`: nothing that is signed stands behind the place.
- \`guarded\`: where signed thinking stands behind the place, the API is asked to leave out what does not fit any more, or all
  thinking goes at once.
- \`thinking\`: the repair is about thinking itself.`

export function repairsPage(): string {
  return [
    introduction,
    '## By row',
    table(
      ['row', 'invariant', "the API's words", 'rule', 'when', 'what is sent instead, and proof', 'signatures'],
      Object.entries(repairRows).flatMap(([row, [invariant, safety, words]]) =>
        linesOf(Number(row), invariant, safety, words),
      ),
    ),
    '## Mended without a row',
    'Repairs of what is no demand on a conversation: answers that fell short, and requests that alone fail.',
    table(
      ['rule', 'what is sent instead, and proof'],
      repairCases.filter(({ row }) => row === undefined).map(({ rule, claim }) => [`\`${rule}\``, claim]),
    ),
    '## Held elsewhere',
    'What no look at a request can tell.',
    table(
      ['row', 'invariant', 'what holds it'],
      Object.entries(heldElsewhere).map(([row, [invariant, held]]) => [row, invariant, held]),
    ),
    '## Rules',
    'In the order in which they are applied before a request leaves:',
    table(
      ['rule', 'holds to'],
      localRules.map(({ name, invariant }) => [`\`${name}\``, invariant]),
    ),
    'And those that only a refusal calls for:',
    table(
      ['rule', 'does'],
      rejectedRules.map(({ name, does }) => [`\`${name}\``, does]),
    ),
  ]
    .join('\n\n')
    .concat('\n')
}

function linesOf(row: number, invariant: string, safety: Safety, words: string | undefined): string[][] {
  const source = words === undefined ? undefined : sourceOf(words)
  const told = words === undefined ? '' : `${words}${source === undefined ? '' : ` ([source](${source}))`}`
  return repairCases
    .filter((each) => each.row === row)
    .map(({ rule, when, claim }, at) => [
      String(row),
      at === 0 ? invariant : '',
      at === 0 ? told : '',
      `\`${rule}\``,
      when,
      claim,
      safety,
    ])
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const cells = lines.map((line) => line.map((cell) => cell.replaceAll('|', '\\|')))
  return [
    `| ${heads.join(' | ')} |`,
    `|${'---|'.repeat(heads.length)}`,
    ...cells.map((line) => `| ${line.join(' | ')} |`),
  ].join('\n')
}
