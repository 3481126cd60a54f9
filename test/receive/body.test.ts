import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { BodySink, IncomingRequest } from '../../src/model/incoming-request.ts'
import type { Answer } from '../../src/receive/answer/answer.ts'
import { createAuthenticatedRequest } from '../../src/receive/authenticated-request.ts'
import type { Body } from '../../src/receive/body.ts'
import type { BodyBudget } from '../../src/receive/body-budget.ts'
import { readBody } from '../../src/receive/read-body.ts'

function incoming(headers: Readonly<Record<string, string>> = {}): {
  incoming: IncomingRequest
  sink: () => BodySink
  stopped: () => boolean
} {
  let sink: BodySink | undefined
  let stopped = false
  return {
    incoming: {
      method: 'POST',
      headers: {
        get: (name) => headers[name],
        repeated: () => undefined,
        toHeaders: () => new Headers(headers),
      },
      body: {
        start: (given) => {
          sink = given
        },
        stop: () => {
          stopped = true
        },
      },
    },
    sink() {
      if (sink === undefined) throw new Error('the body was not asked for')
      return sink
    },
    stopped: () => stopped,
  }
}

const budget = (inFlight = 0): BodyBudget => ({ bodyLimit: 100, inFlightLimit: 150, inFlight })

/** The body, or the answer that refuses it. */
async function read(
  request: IncomingRequest,
  bodyBudget: BodyBudget,
): Promise<Partial<Answer> & Partial<Body>> {
  const authenticated = createAuthenticatedRequest(request, 0, { admitted: true, digests: [] })
  const answer = await readBody(authenticated, { bodyBudget, sink: { closed: () => undefined } })
  return answer ?? authenticated.body
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // What the flag exposes.

function heapUsed(): number {
  collect()
  return process.memoryUsage().heapUsed
}

describe('reading a body', () => {
  test('a million pieces of a byte weigh little more than the bytes, and keep their order', async () => {
    const { incoming: request, sink } = incoming()
    const count = 2 ** 20 + 1
    const reading = read(request, { bodyLimit: count, inFlightLimit: count, inFlight: 0 })
    const bytes = Buffer.from(Array.from({ length: 251 }, (_, at) => at))
    const before = heapUsed()
    for (let at = 0; at < count; at++) sink().chunk(bytes.subarray(at % 251, (at % 251) + 1))
    expect(heapUsed() - before).toBeLessThan(20_000_000)
    sink().end()
    const { bytes: joined = Buffer.alloc(0) } = await reading
    expect(joined.length).toBe(count)
    expect(joined.every((byte, at) => byte === at % 251)).toBe(true)
  })

  test('refuses what is declared too large without reading a byte', async () => {
    const { incoming: request, sink } = incoming({ 'content-length': '101' })
    expect(await read(request, budget())).toMatchObject({ status: 413 })
    expect(sink).toThrow()
  })

  test('answers 503 when the declared bytes do not fit beside those of others, without reading a byte', async () => {
    const { incoming: request, sink } = incoming({ 'content-length': '60' })
    expect(await read(request, budget(91))).toMatchObject({ status: 503 })
    expect(sink).toThrow()
  })

  test('answers 503 when undeclared bytes do not fit, and gives them back', async () => {
    const { incoming: request, sink, stopped } = incoming()
    const room = budget(100)
    const reading = read(request, room)
    sink().chunk(Buffer.alloc(40))
    expect(room.inFlight).toBe(140)
    sink().chunk(Buffer.alloc(40))
    expect(await reading).toMatchObject({ status: 503 })
    expect(stopped()).toBe(true)
    expect(room.inFlight).toBe(100)
  })

  test.each(['fail', 'chunk'] as const)('ignores what comes after the end (%s)', async (late) => {
    const { incoming: request, sink } = incoming()
    const room = budget()
    const reading = read(request, room)
    sink().chunk(Buffer.from('{}'))
    sink().end()
    if (late === 'chunk') sink().chunk(Buffer.from('more'))
    else sink().fail()
    sink().end()
    await turn()
    const { bytes = Buffer.alloc(0) } = await reading
    expect(Buffer.from(bytes).toString()).toBe('{}')
    expect(room.inFlight).toBe(2)
  })

  test('answers 400 to a body that breaks off, and gives its bytes back', async () => {
    const { incoming: request, sink } = incoming()
    const room = budget()
    const reading = read(request, room)
    sink().chunk(Buffer.from('{'))
    sink().fail()
    expect(await reading).toMatchObject({ status: 400 })
    expect(room.inFlight).toBe(0)
  })
})
