import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { signatureHeader, signer } from '../../src/events/sign.ts'
import { keysOutliveMs } from '../../src/model/retention.ts'
import { sample } from '../../src/testing/index.ts'

export interface SoakLoad {
  readonly url: string
  readonly secret: string
  /** Requests a second. */
  readonly rate: number
}

/** How many requests got each status; 0: no answer. */
export type Answers = Readonly<Record<number, number>>

const users = 200
/** More than are ever open while the receiver keeps up; beyond it the load waits. */
const openLimit = 100
/**
 * An inbox remembers the key of a pruned event for 400 days. These events are nearly that old when they are sent, so that their keys go,
 * too, within the run: otherwise the file must grow.
 */
const keyLeftMs = 90_000

const types = [
  'user.login.success',
  'user.create.complete',
  'user.update.complete',
  'user.deactivate',
] as const

/** Sends what a receiver gets in a year of good and bad days, at an even rate. */
export function soakLoad({ url, secret, rate }: SoakLoad): {
  stop(): Promise<{ acknowledged: readonly string[]; answers: Answers }>
} {
  const agent = new Agent({ keepAlive: true, maxSockets: openLimit })
  const sign = signer({ kid: 'soak', secret })
  const acknowledged = new Set<string>()
  const answers: Record<number, number> = {}
  /** Bodies of the last few seconds, to be sent again. */
  const recent: string[] = []
  const open = new Set<Promise<void>>()
  let stopping = false

  function send(): Promise<void> {
    const chance = Math.random()
    if (chance < 0.02) return post(plainEvent(), 'not.a.signature') // 401
    if (chance < 0.03) return post('{"event":') // 400
    const again = recent[Math.floor(Math.random() * recent.length)]
    if (chance < 0.08 && again !== undefined) return post(again)
    if (chance < 0.1) return post(gatedEvent({ keep: true })) // 422
    if (chance < 0.15) return post(gatedEvent({ keep: false }))
    return post(plainEvent())
  }

  async function post(body: string, signature: string = sign(body)): Promise<void> {
    const status = await statusOf(url, agent, body, signature)
    answers[status] = (answers[status] ?? 0) + 1
    if (status !== 200) return
    acknowledged.add((JSON.parse(body) as { event: { id: string } }).event.id) // As they are made below.
    recent.push(body)
    if (recent.length > rate * 10) recent.splice(0, rate)
  }

  async function run(): Promise<void> {
    const began = performance.now()
    for (let sent = 0; !stopping;) {
      const due = ((performance.now() - began) / 1_000) * rate
      for (; sent < due && open.size < openLimit; sent++) {
        const sending: Promise<void> = send().then(() => void open.delete(sending))
        open.add(sending)
      }
      await sleep(5)
    }
    await Promise.all(open)
  }

  const running = run()
  return {
    async stop() {
      stopping = true
      await running
      agent.destroy()
      return { acknowledged: [...acknowledged], answers }
    },
  }
}

function plainEvent(): string {
  return eventOf(types[Math.floor(Math.random() * types.length)] ?? types[0], {})
}

/** An event of a type with a gate, which refuses the users that are to stay. */
function gatedEvent(data: { readonly keep: boolean }): string {
  return eventOf('user.delete', data)
}

/** One in a hundred has a hundred kilobytes. */
function eventOf(type: (typeof types)[number] | 'user.delete', data: object): string {
  const id = `user-${Math.floor(Math.random() * users)}`
  const note = 'x'.repeat(Math.random() < 0.01 ? 100_000 : Math.random() * 1_000)
  const event = sample(type)
  const user = { ...event.user, id, data: { ...data, note } }
  return JSON.stringify({ event: { ...event, linkedObjectId: id, user, createInstant: someInstant() } })
}

/** One in a hundred happened just now, for whoever compares clocks by the newest event. */
function someInstant(): number {
  const now = Date.now()
  return Math.random() < 0.01 ? now : now - keysOutliveMs + keyLeftMs
}

/** 0: no answer. */
function statusOf(url: string, agent: Agent, body: string, signature: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const headers = { 'content-type': 'application/json', [signatureHeader]: signature }
  const sent = request(url, { method: 'POST', agent, headers, timeout: 5_000 }, (response) => {
    response
      .resume()
      .on('end', () => resolve(response.statusCode ?? 0))
      .on('error', () => resolve(0))
  })
  sent.on('timeout', () => sent.destroy()).on('error', () => resolve(0))
  sent.end(body)
  return promise
}
