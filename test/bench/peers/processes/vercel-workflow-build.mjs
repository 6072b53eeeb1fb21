/** Compiles the workflow in the folder that it is started in, as the builders for web frameworks do. */
import { StandaloneBuilder } from '@workflow/builders'

const builder = new StandaloneBuilder({
  buildTarget: 'standalone',
  dirs: ['.'],
  workingDir: process.cwd(),
  stepsBundlePath: './built/step.cjs',
  workflowsBundlePath: './built/flow.cjs',
  webhookBundlePath: './built/webhook.cjs',
})
await builder.build()
