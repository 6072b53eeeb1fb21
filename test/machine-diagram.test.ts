import { expect, test } from 'vitest'
import { machineDiagram } from './support/machine-diagram.ts'

test('docs/machine.md draws the machine as it is', async () => {
  await expect(machineDiagram()).toMatchFileSnapshot('../docs/machine.md')
})
