import { expect, test } from 'vitest'
import { Admission } from './admission.ts'
import { resolveGatewayOptions } from './options.ts'

const admissionOf = (maxRequests: number) => new Admission(resolveGatewayOptions({ maxRequests }), 'this')

function entered(admission: Admission): () => void {
  const leave = admission.enter()
  if (leave instanceof Response) throw new Error('no room')
  return leave
}

test('only so many are inside at once, and who leaves twice (his answer ended, and he went away) has left once', () => {
  const admission = admissionOf(2)
  const [first] = [entered(admission), entered(admission)]
  expect(admission.enter()).toMatchObject({ status: 503 })
  first?.()
  first?.()
  expect(admission.inside).toBe(1)
  entered(admission)
  expect(admission.enter()).toMatchObject({ status: 503 })
})

test('it closes when the last one has left: at once if nobody is inside', async () => {
  await admissionOf(1).close()
  const admission = admissionOf(1)
  const leave = entered(admission)
  let isOver = false
  const closed = admission.close().then(() => (isOver = true))
  await Promise.resolve()
  expect(isOver).toBe(false)
  leave()
  await closed
})

test('a request that passed other gateways is refused only where it passed this one', () => {
  const refusalOf = (hops: string) =>
    admissionOf(1).refusalOf(new Request('http://127.0.0.1/v1/messages', { headers: { 'x-lastgood-hop': hops } }))
  expect(refusalOf('that')).toBeUndefined()
  expect(refusalOf('this-one, that')).toBeUndefined()
  expect(refusalOf('this, that')).toMatchObject({ status: 508 })
  expect(refusalOf('that, this')).toMatchObject({ status: 508 })
})
