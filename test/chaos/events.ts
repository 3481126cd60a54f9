import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Arrival } from '../../src/model/event.ts'
import { canonicalId } from '../../src/receive/identify.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { killing, postponing } from './troubles.ts'
import { erasedUsers } from './tend-under-load.ts'

export const apiKeyOfChaos = 'a key for chaos only'

const users = 40
/** As many of the last acknowledged events come again, as if their answers had got lost. */
const resent = 5

interface Sent {
  readonly body: string
  readonly trouble?: string
}

/** What was found in the end, each event by its id and as often as it is there. */
export interface Found {
  readonly kept: readonly string[]
  readonly atomic: readonly string[]
  readonly plain: readonly string[]
  readonly troubled: readonly string[]
  readonly dead: readonly string[]
  readonly bodiless: readonly string[]
}

/** The events of a run: what was sent, what was acknowledged, and what must have become of it. */
export class ChaosEvents {
  readonly acknowledged = new Set<string>()
  readonly #sent = new Map<string, Sent>()
  readonly #unanswered = new Set<string>()
  readonly #prunable = new Set<string>()
  readonly #startedAt = Date.now()

  /** Makes an event that is not answered yet, and gives its id. One with trouble has a user of its own, so that it holds up nobody. */
  add({ trouble }: { trouble?: string }): string {
    const id = randomUUID()
    const user = trouble === undefined ? `user-${Math.floor(Math.random() * users)}` : `troubled-${id}`
    this.#sent.set(id, { body: this.#body(id, user, trouble), ...(trouble !== undefined && { trouble }) })
    this.#unanswered.add(id)
    return id
  }

  #body(id: string, user: string, trouble?: string): string {
    const about = { type: 'user.update.complete', id, createInstant: this.#startedAt }
    return JSON.stringify({ event: { ...about, user: { id: user, data: { trouble } } } })
  }

  /** Events of the users who are erased, as the receiver hands them to an engine. Nobody is told that they are kept. */
  arrivalsOfErased(count: number): Arrival[] {
    return Array.from({ length: count }, (_, n) => {
      const id = `1${randomUUID().slice(1)}` // A quick one.
      const user = erasedUsers[n % erasedUsers.length] ?? ''
      const body = Buffer.from(this.#body(id, user))
      const times = { createInstant: this.#startedAt, receivedAt: this.#startedAt }
      return arrival(id, { ...times, body, lane: canonicalId(`/${user}`), subjects: [canonicalId(user)] })
    })
  }

  bodyOf(id: string): string {
    return this.#sent.get(id)?.body ?? ''
  }

  troubleOf(id: string): string | undefined {
    return this.#sent.get(id)?.trouble
  }

  acknowledge(id: string): void {
    this.#unanswered.delete(id)
    this.acknowledged.add(id)
  }

  isAcknowledged(id: string): boolean {
    return this.acknowledged.has(id)
  }

  toSendAgain(): string[] {
    return [...[...this.acknowledged].slice(-resent), ...this.#unanswered]
  }

  /** Everything that was received until now was or may have been pruned. */
  mayBePruned(): void {
    for (const id of this.#sent.keys()) this.#prunable.add(id)
  }

  judge(found: Found): {
    readonly lost: number
    readonly repeated: number
    readonly innocent: number
    readonly wronglyPruned: number
    readonly again: number
  } {
    const setOf = (ids: readonly string[]) => new Set(ids)
    const [kept, atomic] = [setOf(found.kept), setOf(found.atomic)]
    const [plain, troubled] = [setOf(found.plain), setOf(found.troubled)]
    const isLost = (id: string) => {
      const trouble = this.troubleOf(id)
      if (!kept.has(id) || !atomic.has(id) || !plain.has(id)) return true
      return trouble !== killing && trouble !== postponing && !troubled.has(id)
    }
    const ids = [...this.acknowledged]
    return {
      lost: ids.filter(isLost).length,
      repeated: found.kept.length - kept.size + found.atomic.length - atomic.size,
      innocent: [...setOf(found.dead)].filter((id) => this.troubleOf(id) !== killing).length,
      wronglyPruned: found.bodiless.filter((id) => this.#sent.has(id) && !this.#prunable.has(id)).length,
      again: found.plain.length - plain.size + found.troubled.length - troubled.size,
    }
  }
}

/** The effects of the handlers that write them to a file: a line for each, the handler and the event's id. */
export function effectsIn(file: string): { readonly plain: string[]; readonly troubled: string[] } {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const of = (handler: string) =>
    lines.flatMap((line) => (line.startsWith(`${handler} `) ? [line.slice(handler.length + 1)] : []))
  return { plain: of('plain'), troubled: of('troubled') }
}
