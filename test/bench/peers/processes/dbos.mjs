/** DBOS on Postgres: a session is a workflow, and each step one of its steps. */
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk'
import { job, work } from './work.mjs'

const nexts = new Map()

const session = DBOS.registerWorkflow(
  async (id) => {
    for (let step = 0; ; step += 1) {
      const ask = async () => nexts.get(id)?.(step)?.messages ?? null
      if ((await DBOS.runStep(ask, { name: 'step' })) === null) return
    }
  },
  { name: 'session' },
)

const { url } = job

await work(() => {
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error', runAdminServer: false })
  let launched
  return {
    async run(id, next) {
      nexts.set(id, next)
      // It continues unfinished workflows by itself.
      await (launched ??= DBOS.launch())
      const handle = await DBOS.startWorkflow(session, { workflowID: id })(id)
      await handle.getResult()
    },
    async read(id) {
      const client = await DBOSClient.create({ systemDatabaseUrl: url })
      const steps = await client.listWorkflowSteps(id)
      return steps.flatMap(({ output }) => output ?? [])
    },
    close: () => launched && DBOS.shutdown(),
  }
})
