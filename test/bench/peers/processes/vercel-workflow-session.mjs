/** Compiled by `vercel-workflow-build.mjs`: the workflow runs in a sandbox, its steps in the process. */
async function ask(id, step) {
  'use step'
  return globalThis.ask(id, step)
}

export async function session(id) {
  'use workflow'
  for (let step = 0; (await ask(id, step)) !== null; step += 1);
}
