import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { foldJournal } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { startLab } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import { startNode, type Ended, type ProcessOptions } from '../../../../test/support/running-process.ts'
import { git, demoFolderAt } from './folder.ts'
import { commitSubject, migrationLine, prompts } from './project.ts'
import { playDemo } from './script.ts'

const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
/** Without what the package manager and the test runner have put there. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|LASTGOOD|REDIS_URL|NODE_|VITEST|ANTHROPIC)/.test(name)),
)

const startDemo = (folder: string, flags: readonly string[] = [], options: ProcessOptions = {}) =>
  startNode([bin, 'demo', '--fast', '--json', '--folder', folder, ...flags], { env, ...options })

type Output = Omit<Ended, 'signal'>

/** Runs a command line as a user would. */
async function typed(command: string): Promise<Output> {
  return promisify(execFile)('sh', ['-c', command], { env }).then(
    (done) => ({ code: 0, ...done }),
    (error: Output & { code: number }) => error,
  )
}

/** The command lines of the processes that work in the folder; only Linux tells. */
function processesIn(folder: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
    .filter((line) => line.includes(folder))
}

function assertCode({ code, stderr }: Output, wanted: number): void {
  if (code !== wanted) throw new Error(`exit code ${String(code)} instead of ${wanted}:\n${stderr}`)
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

/** The repository, looked at without the demo's help. */
function workIn(folder: string): { migrations: number; subjects: string[]; isClean: boolean } {
  const at = demoFolderAt(folder)
  const ledger = readFileSync(join(at.repository, 'migrations.log'), 'utf8').split('\n')
  return {
    migrations: ledger.filter((line) => line === migrationLine).length,
    subjects: git(at, env, 'log', '--format=%s').trim().split('\n'),
    isClean: git(at, env, 'status', '--porcelain') === '',
  }
}

const done = { migrations: 1, subjects: [commitSubject, 'feat: the project'], isClean: true }

describe('lastgood demo', () => {
  test('survives its outages, a kill and a redeploy with no turn lost and no tool run twice (P1, P2, P4)', async () => {
    const folder = newFolder()
    const ended = await startDemo(folder).ended
    const verdict = JSON.parse(lastLine(ended.stdout)) as Record<string, unknown>
    assertCode(ended, 0)
    expect(verdict['failed']).toEqual([])
    expect(verdict).toMatchObject({
      ok: true,
      turnsLost: 0,
      toolsRunTwice: 0,
      resumedFromTurn: 1,
      faultsSurvived: 6,
      turnsByOther: 1,
      turnsTakenBack: 1,
      requestsRefused: 1,
      requestsMended: 1,
      testsPass: true,
    })
    expect(ended.stderr).toContain('claude-sonnet-5-5 takes the turn')
    expect(ended.stderr).toContain("status page later: monitoring 'Elevated errors on Claude Opus 5.5'")
    expect(verdict['cacheHitShare']).toBeGreaterThan(0.8)
    expect(Number(verdict['inputTokensResent']) * 3).toBeLessThan(Number(verdict['inputTokensStartingOver']))
    expect(workIn(folder)).toEqual(done)

    const { snapshot, transcript } = await foldJournal(
      fileStore({ dir: join(folder, 'store') }).read(String(verdict['sessionId'])),
      'x',
    )
    expect(snapshot.context).toMatchObject({ turn: 2, lastGoodTurn: 2 })
    expect(JSON.stringify(transcript.messages).match(/outcome is unknown/g)).toHaveLength(1)
    expect(readFileSync(String(verdict['journal']), 'utf8')).toContain('"refolded":true')
    expect(processesIn(folder)).toEqual([])
    expect(await typed(String(verdict['showCommand']))).toMatchObject({ code: 0 })
  })

  test('--live without a key says so and makes nothing', async () => {
    const folder = newFolder()
    const { code, stderr } = await startDemo(folder, ['--live']).ended
    expect({ code, files: readdirSync(folder) }).toEqual({ code: 4, files: [] })
    expect(stderr).toContain('ANTHROPIC_API_KEY')
  })

  test('--live says nothing of what only a lab can know', async () => {
    const lab = await startLab({ model: playDemo })
    onTestFinished(() => lab.close())
    const folder = newFolder()
    const demo = startDemo(folder, ['--live'], {
      env: { ...env, ANTHROPIC_BASE_URL: lab.url, ANTHROPIC_API_KEY: 'any' },
    })
    const ended = await demo.ended
    const verdict = JSON.parse(lastLine(ended.stdout)) as Record<string, unknown>
    assertCode(ended, 0)
    expect(verdict['failed']).toEqual([])
    expect(verdict).toMatchObject({ ok: true, turnsLost: 0, toolsRunTwice: 0, resumedFromTurn: 1 })
    expect(verdict).not.toHaveProperty('faultsSurvived')
    expect(workIn(folder)).toEqual(done)
  })

  test('a folder with something in it is refused', async () => {
    const { code, stderr } = await startDemo(fileURLToPath(new URL('.', import.meta.url))).ended
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is not empty') as string })
  })
})

describe('Ctrl+C', () => {
  const random = (seed: number): number => ((seed * 48_271) % 2_147_483_647) / 2_147_483_647
  test.concurrent.for<[string, string, number]>([
    ['at once', 'its first file', 11],
    ['when an image was refused', 'API 400', 23],
    ['in the first outage', 'API 529', 29],
    ['while another model has the turn', 'takes the turn', 31],
    ['between the turns', 'turn 1 is saved', 0],
    ['while a file is changed', '→ edit', 37],
    ['while the migration runs', 'migrate.mjs', 41],
    ['at the kill', 'kill -9', 53],
    ['while it is resumed', 'in doubt', 67],
  ])(
    '%s leaves a session that the command on the last line finishes',
    { timeout: 120_000 },
    async ([, text, seed], { onTestFinished: onFinished }) => {
      const folder = newFolder(undefined, onFinished)
      const demo = startDemo(folder, [], { onFinished })
      if (text === 'its first file')
        await vi.waitUntil(() => readdirSync(folder).length > 0, { timeout: 10_000, interval: 5 })
      else await demo.saw(text)
      await new Promise((resolve) => setTimeout(resolve, random(seed) * 120))
      demo.child.kill('SIGINT')
      const ended = await demo.ended
      assertCode(ended, 130)
      const { stderr, stdout } = ended
      expect(processesIn(folder)).toEqual([])
      expect(JSON.parse(lastLine(stdout))).toMatchObject({
        ok: false,
        state: 'interrupted',
        command: lastLine(stderr),
      })

      // The lab is gone, and the command goes on all the same: first with what was open, then with the other turn.
      const resumed = await typed(lastLine(stderr))
      assertCode(resumed, 0)
      if (workIn(folder).subjects.length === 1) {
        const again = await typed(`${lastLine(stderr).replace(/ '.*/, '')} '${prompts[1]}'`)
        assertCode(again, 0)
      }
      expect(workIn(folder)).toEqual(done)
      expect(processesIn(folder)).toEqual([])
    },
  )
})
