import type { KnipConfig } from 'knip'

const config: KnipConfig = {
  workspaces: {
    '.': {
      // Programs in fixtures/, and those that a bench starts, are started by their path.
      entry: [
        'test/**/*.test.ts',
        'test/fixtures/*.{ts,mjs}',
        'test/bench/main.ts',
        'test/crash/campaign/main.ts',
        'test/crash/campaign/agent-process.mjs',
        'test/durability/main.ts',
        'test/simulation/main.ts',
        'test/clients/main.ts',
        'test/clients/*.mjs',
        'test/journeys/project/*.mjs',
        'test/bench/capacity/worker-process.ts',
        'test/bench/fleet/{takeover-worker,comeback-*}.ts',
        'test/bench/store/opening-process.ts',
        'test/bench/{fleet,outage}/*-thread.ts',
        'test/bench/gateway/*-process.mjs',
      ],
      // The processes of the peers import what the bench installs elsewhere.
      project: ['test/**/*.{ts,mjs}', '!test/bench/peers/processes/**', '*.ts'],
      // Started by test/packages.test.ts.
      ignoreDependencies: ['publint', '@arethetypeswrong/cli'],
      // The setup of the browser tests.
      ignoreBinaries: ['apt-get'],
    },
    'packages/cli': {
      // The demo starts it by its path.
      entry: ['src/demo/agent-process.ts'],
      project: ['src/**/*.ts', 'test/**/*.ts'],
    },
    'packages/dashboard': {
      entry: ['page/{main,report}.tsx', 'page/**/*.test.ts'],
      project: ['src/**/*.ts', 'page/**/*.{ts,tsx}', '*.ts'],
    },
    'packages/*': { project: ['src/**/*.ts', 'test/**/*.ts'] },
    'examples/*': { entry: ['*.{ts,js}', 'src/*.ts'], project: ['**/*.{ts,js}'] },
  },
  // A type may be exported only because a public signature mentions it.
  ignoreExportsUsedInFile: { interface: true, type: true },
}

export default config
