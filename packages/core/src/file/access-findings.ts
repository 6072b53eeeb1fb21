/** Who else can read or write a folder of sessions, and whether this process can. Transcripts hold code and secrets. */
import { constants } from 'node:fs'
import { access, lstat, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { platform } from 'node:process'
import type { Finding } from '../store/store.ts'
import { shellWord } from '../shell-word.ts'
import { systemCode } from './file-error.ts'
import { namesIn } from './folder.ts'

export async function accessFindings(dir: string): Promise<Finding[]> {
  const folders = ['sessions', 'shared'].map((name) => join(dir, name))
  const found = await ownFindings(dir, join(dir, 'sessions'))
  // Windows has access control lists instead, and a mode shows none of them.
  if (platform === 'win32') return found
  const mode = await modeOf(dir)
  if (mode & othersWrite && !(mode & sticky)) {
    found.push({
      severity: 'danger',
      what: `${dir} can be written by other users of this machine (${octal(mode)})`,
      risk: 'they can replace your journals with their own (P1, P4)',
      mend: `chmod go-w ${shellWord(dir)}`,
    })
  }
  for (const folder of folders) found.push(...(await folderFindings(folder)))
  return found
}

const othersAny = 0o077
const othersRead = 0o044
const othersWrite = 0o022
const othersEnter = 0o011
const sticky = 0o1000

async function folderFindings(folder: string): Promise<Finding[]> {
  const mode = await modeOf(folder)
  if ((mode & othersAny) === 0) return []
  const found: Finding[] = [
    {
      severity: mode & othersWrite ? 'danger' : 'warning',
      what: `${folder} is open to other users of this machine (${octal(mode)}, and should be 0700)`,
      risk: mode & othersWrite ? 'they can delete and replace journals (P1, P4)' : 'they can see which sessions exist',
      mend: `chmod 700 ${shellWord(folder)}`,
    },
  ]
  if ((mode & othersEnter) === 0) return found
  const open: string[] = []
  for (const name of await namesIn(folder)) {
    if ((await modeOf(join(folder, name))) & (othersRead | othersWrite)) open.push(name)
  }
  if (open.length === 0) return found
  const more = open.length === 1 ? '' : ` and ${open.length - 1} more`
  found.push({
    severity: 'danger',
    what: `${join(folder, open[0] ?? '')}${more} can be read or written by other users of this machine`,
    risk: 'transcripts hold code, tool output and secrets; what is written there is trusted on resume (P4)',
    mend: `chmod -R go= ${shellWord(folder)}`,
  })
  return found
}

/** What this process may not do itself. */
async function ownFindings(dir: string, sessions: string): Promise<Finding[]> {
  const place = await nearestThere(sessions)
  const refused = await refusalOf(place, constants.W_OK | constants.X_OK)
  if (refused !== undefined) {
    return [
      {
        severity: 'danger',
        what:
          refused === 'ENOENT'
            ? `${place} is a link to a folder that is not there`
            : `${place} cannot be written by this user (${refused})`,
        risk: 'no session can be recorded, so none can start or continue (P5)',
        mend: mends[refused] ?? (place.startsWith(dir) ? ownerMend(dir) : `${making(dir)} && ${ownerMend(dir)}`),
      },
    ]
  }
  // Windows has no user ids, and root is refused nothing.
  const userId = process.geteuid?.() ?? 0
  if (userId === 0) return []
  const foreign: string[] = []
  for (const name of await namesIn(sessions)) {
    const owner = (await stat(join(sessions, name)).catch(() => undefined))?.uid
    if (owner !== undefined && owner !== userId) foreign.push(name)
  }
  if (foreign.length === 0) return []
  const more = foreign.length === 1 ? '' : ` and ${foreign.length - 1} more`
  const what = `${join(sessions, foreign[0] ?? '')}${more}: made by another user (sudo?)`
  return [{ severity: 'danger', what, risk: 'such a session cannot be continued (P5)', mend: ownerMend(dir) }]
}

const mends: Readonly<Record<string, string>> = {
  EROFS: 'mount it writable, or: --store file:<folder>',
  ENOENT: 'mount its disk, or: --store file:<folder>',
}
const making = (dir: string): string => `sudo mkdir -p ${shellWord(dir)}`
const ownerMend = (dir: string): string => `sudo chown -R "$(id -u)" ${shellWord(dir)}`

async function refusalOf(path: string, mode: number): Promise<string | undefined> {
  return access(path, mode).then(
    () => undefined,
    (error: unknown) => systemCode(error) ?? 'refused',
  )
}

/** A link that leads nowhere is there, too: nothing can be made in its place. */
async function nearestThere(path: string): Promise<string> {
  for (let there = path; ; there = dirname(there)) {
    const found = await lstat(there).catch(systemCode)
    if (dirname(there) === there || found !== 'ENOENT') return there
  }
}

/** 0 where there is nothing. */
async function modeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mode ?? 0
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')
