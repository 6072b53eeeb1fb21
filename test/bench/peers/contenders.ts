/**
 * The contenders: floors, which only make the same bytes durable; lastgood; and what else keeps the state of an agent
 * or its steps, and installs from the npm registry. Each has a process of its own, in `processes/`.
 */
import type { PackagesName } from './packages.ts'
import type { ServerName } from './servers.ts'

/** What is compared with what: stores of one process, and servers by what they promise for an acknowledged write. */
export const leagues = ['in the process', 'server, everysec', 'server, fsync'] as const
export type League = (typeof leagues)[number]

export interface Contender {
  readonly name: string
  /** `variant` is ours too: it is shown but not compared. */
  readonly kind: 'floor' | 'lastgood' | 'variant' | 'peer'
  readonly league: League
  /** Its file in `processes/`. */
  readonly program: string
  /** Beside that, what is compiled before it can start, and the program that does it. */
  readonly compiled?: { readonly sources: readonly string[]; readonly by: string }
  readonly server: ServerName
  readonly packages?: PackagesName
  /** Its code needs this version of Node; all contenders then run on it. */
  readonly oldestNode?: number
  /** Its modules are in the server from this version on. */
  readonly oldestRedis?: number
  /** For its process. */
  readonly options?: Readonly<Record<string, string | number | boolean>>
}

const everysec = { league: 'server, everysec', server: 'redis everysec' } as const
const always = { league: 'server, fsync', server: 'redis always' } as const
const folder = { league: 'in the process', server: 'folder' } as const
const postgres = { league: 'server, fsync', server: 'postgres' } as const
const langgraph = { kind: 'peer', program: 'langgraph', packages: 'langgraph' } as const
const mastra = { kind: 'peer', program: 'mastra', packages: 'mastra' } as const
const bullmq = { kind: 'peer', program: 'bullmq', packages: 'bullmq' } as const
const sync = { durability: 'sync' } as const
const sqlite = { ...langgraph, ...folder, oldestNode: 22 } as const

export const contenders: readonly Contender[] = [
  { name: 'floor: JSONL, fdatasync', kind: 'floor', program: 'floor', ...folder },
  { name: 'floor: EVALSHA, everysec', kind: 'floor', program: 'floor', ...everysec },
  { name: 'floor: EVALSHA, always', kind: 'floor', program: 'floor', ...always },
  ...ours('lastgood, file', folder),
  ...ours('lastgood, Redis everysec', everysec),
  ...ours('lastgood, Redis always', always),
  {
    name: 'lastgood, Redis always, compressed',
    kind: 'variant',
    program: 'lastgood',
    ...always,
    options: { commits: 1, isCompressed: true },
  },
  { name: 'LangGraph, memory (nothing durable)', ...langgraph, ...folder, options: { saver: 'memory', state: 'full' } },
  { name: 'LangGraph, SQLite, sync', ...sqlite, options: { saver: 'sqlite', state: 'full', ...sync } },
  { name: 'LangGraph, SQLite, sync, delta', ...sqlite, options: { saver: 'sqlite', state: 'delta', ...sync } },
  {
    name: 'LangGraph, Postgres, sync',
    ...langgraph,
    ...postgres,
    options: { saver: 'postgres', state: 'full', ...sync },
  },
  {
    name: 'LangGraph, Postgres, sync, delta',
    ...langgraph,
    ...postgres,
    options: { saver: 'postgres', state: 'delta', ...sync },
  },
  {
    name: 'LangGraph, Postgres, async (its default)',
    ...langgraph,
    ...postgres,
    options: { saver: 'postgres', state: 'full', durability: 'async' },
  },
  {
    name: 'LangGraph, Redis always, sync, delta',
    ...langgraph,
    ...always,
    oldestRedis: 8,
    options: { saver: 'redis', state: 'delta', ...sync },
  },
  { name: 'DBOS, Postgres', kind: 'peer', program: 'dbos', packages: 'dbos', ...postgres },
  {
    name: 'Restate',
    kind: 'peer',
    program: 'restate',
    packages: 'restate',
    league: 'server, fsync',
    server: 'restate',
    oldestNode: 22,
  },
  {
    name: 'Vercel Workflow, local',
    kind: 'peer',
    program: 'vercel-workflow',
    packages: 'vercel-workflow',
    compiled: { sources: ['vercel-workflow-session'], by: 'vercel-workflow-build' },
    ...folder,
  },
  { name: 'BullMQ, Redis everysec', ...bullmq, ...everysec },
  { name: 'BullMQ, Redis always', ...bullmq, ...always },
  { name: 'Mastra storage, Redis everysec', ...mastra, ...everysec, options: { store: 'redis' } },
  { name: 'Mastra storage, Redis always', ...mastra, ...always, options: { store: 'redis' } },
  {
    name: 'OpenAI Agents, Redis always',
    kind: 'peer',
    program: 'openai-agents',
    packages: 'openai-agents',
    ...always,
  },
  { name: 'Mastra storage, Postgres', ...mastra, ...postgres, options: { store: 'postgres' } },
]

/** With one commit for each step, as the peers do, and with the two that lastgood makes by itself. */
function ours(name: string, where: Pick<Contender, 'league' | 'server'>): Contender[] {
  return [
    { name, kind: 'lastgood', program: 'lastgood', ...where, options: { commits: 1 } },
    { name: `${name}, 2 commits`, kind: 'variant', program: 'lastgood', ...where, options: { commits: 2 } },
  ]
}
