/** A session with hostile words and a key in it, and the built dashboard that shows it. */
import { join } from 'node:path'
import { openSession } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { startDashboard, type DashboardProcess } from './dashboard-process.ts'
import { newFolder } from './folder.ts'

export const key = 'sk-ant-api03-abcdefghijklmnopqrstuvwxyz'
export const words = 'my private words'
const hostile = `<img src=x onerror=alert(1)></script>\u001b[2J\u202etxt.exe\u2028${words} ${key}`

export async function recorded(home: string, id = 'fix-auth', message = hostile): Promise<void> {
  const session = await openSession(id, { store: fileStore({ dir: join(home, 'state') }), cwd: home })
  await session.record([
    { type: 'turn-started', turn: 1, agent: hostile.slice(0, 60), messages: [{ role: 'user', content: message }] },
    { type: 'request-sent', model: 'm', attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529, message: `Overloaded ${key}` },
      decision: { kind: 'suspend', reason: hostile },
    },
  ])
  await session.close()
}

export async function served(argv: readonly string[] = []): Promise<DashboardProcess> {
  const home = newFolder()
  await recorded(home)
  return startDashboard(argv, { home })
}

export const json = { 'content-type': 'application/json' }
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
