import { expect, test } from 'vitest'
import { handle } from '../../src/deliver/handle.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { handlerNamed } from './rig.ts'

test('an atomic attempt that is aborted before its transaction begins runs nothing, and leaves nothing unhandled', async () => {
  const clock = handClock()
  const aborting = new AbortController()
  const engine: Engine = {
    ...memory({ clock }),
    // As every engine's: it has waited for its connection, and the lease was lost meanwhile.
    async atomic(_, run) {
      aborting.abort(new Error('the lease was lost'))
      await run(undefined)
      return 'settled'
    },
  }
  let ran = 0
  const handler = handlerNamed('h', async () => void ran++, { atomic: true })
  const body = Buffer.from('{"event":{"type":"user.update.complete","id":"1","user":{"id":"ada"}}}')
  const { key, type, source, receivedAt } = arrival('1', { body })
  const lease = {
    handler: 'h',
    position: 1,
    token: '1',
    attempt: 1,
    failingForMs: 0,
    laneHeldForMs: 0,
    event: { key, type, source, receivedAt, body },
  }

  const ended = await handle({ lease, handler, engine, clock, signal: aborting.signal })
  expect(ended).toMatchObject({ kind: 'retry', failure: { message: 'Error: the lease was lost' } })
  expect(ran).toBe(0)
})
