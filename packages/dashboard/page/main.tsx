/** The dashboard: signs in, then shows and follows. */
import { render } from 'preact'
import { follow } from './live/follow.ts'
import { startClock } from './live/server-clock.ts'
import { App } from './shell/app.tsx'
import { followKeys } from './shell/keyboard.ts'
import { login } from './shell/login.ts'
import { followRoute, route, routeOf } from './shell/route.ts'

const page = document.getElementById('page')
if (page) {
  const refused = await login()
  route.value = routeOf(location.hash)
  followRoute()
  followKeys()
  startClock()
  if (refused === undefined) follow()
  render(<App refused={refused} />, page)
}
