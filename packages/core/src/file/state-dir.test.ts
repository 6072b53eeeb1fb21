import { expect, test } from 'vitest'
import { stateDir } from './state-dir.ts'

test('the folder is XDG_STATE_HOME/lastgood, else below the home; a relative or empty XDG_STATE_HOME is ignored', () => {
  expect(stateDir({ XDG_STATE_HOME: '/var/state' }, '/home/ann')).toBe('/var/state/lastgood')
  for (const env of [{}, { XDG_STATE_HOME: '' }, { XDG_STATE_HOME: 'state' }, { XDG_STATE_HOME: undefined }]) {
    expect(stateDir(env, '/home/ann')).toBe('/home/ann/.local/state/lastgood')
  }
})
