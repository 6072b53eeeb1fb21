/** A healthy project, and what the doctor says of it. */
import { answered, ended, project, run, seed, sent, started } from '../../test/context.ts'

export const node = { version: 'v22.20.0' }
export const key = { ANTHROPIC_API_KEY: 'sk-ant-very-secret' }

export const doctor = (cwd: string, flags: readonly string[] = [], env: Record<string, string> = key) =>
  run(['doctor', '--store', 'state', ...flags], { cwd, env, node })

/** A healthy project with one finished session. */
export async function healthy() {
  const { cwd, store } = project(`coder: { name: 'coder', run() {} }`)
  await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
  return { cwd, store }
}

export interface Found {
  findings: { severity: string; about: string; what: string; risk: string; mend: string }[]
  dangers: number
}

export async function found(cwd: string, flags: readonly string[] = [], env?: Record<string, string>) {
  const { code, stdout } = await doctor(cwd, ['--json', ...flags], env)
  const document = JSON.parse(stdout) as Found
  // Without findings about the test's own machine.
  const findings = document.findings.filter(({ what }) => !/ is on (tmpfs|overlay|FUSE|9p)|MiB are free/.test(what))
  return { code, findings }
}
