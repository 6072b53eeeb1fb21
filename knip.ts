import { readdirSync, readFileSync } from 'node:fs'
import type { KnipConfig } from 'knip'

/** Packages that have only been laid out. While there is one, nobody can say which dependencies are too many. */
const empty = readdirSync('packages')
  .map((name) => `packages/${name}`)
  .filter((folder) => readFileSync(`${folder}/src/index.ts`, 'utf8').trim() === 'export {}')

const config: KnipConfig = {
  workspaces: {
    '.': { entry: ['test/**/*.test.ts'], project: ['test/**/*.ts', '*.ts'] },
    'packages/*': { project: ['src/**/*.ts', 'test/**/*.ts'] },
    'examples/*': { entry: ['*.{ts,js}', 'src/*.ts'], project: ['**/*.{ts,js}'] },
  },
  ignoreWorkspaces: empty,
  exclude: empty.length > 0 ? ['dependencies', 'catalog'] : [],
  // A type may be exported only because a public signature mentions it.
  ignoreExportsUsedInFile: { interface: true, type: true },
}

export default config
