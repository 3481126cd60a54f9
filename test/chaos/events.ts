import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Arrival } from '../../src/model/arrival.ts'
import { canonicalId } from '../../src/model/canonical-id.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { killing, postponing } from './troubles.ts'
import { erasedUsers } from './tend-under-load.ts'

export const apiKeyOfChaos = 'a key for chaos only'

const users = 40
/** As many of the last acknowledged events come again, as if their answers had got lost. */
const resent = 5

/** Every so manyth event asks a gate. */
const gatedEvery = 3

/** Of a large event: two of them need more than the log of the inbox has room for without growing. */
const largeBytes = 2_000_000

interface Sent {
  body(): string
  readonly trouble?: string
  /** A gate is asked before it is kept, and a handler of its own takes it. */
  readonly gated: boolean
}

/** What was found in the end, each event by its id and as often as it is there. */
export interface Found {
  readonly kept: readonly string[]
  readonly atomic: readonly string[]
  readonly plain: readonly string[]
  readonly troubled: readonly string[]
  readonly gated: readonly string[]
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
    const gated = trouble === undefined && this.#sent.size % gatedEvery === 0
    const body = this.#body(gated ? 'user.create' : 'user.update.complete', id, user, trouble)
    this.#sent.set(id, { body: () => body, gated, ...(trouble !== undefined && { trouble }) })
    this.#unanswered.add(id)
    return id
  }

  /** Makes an event that asks a gate and needs much room; it is sent once. */
  addLarge(): { readonly id: string; readonly body: string } {
    const id = randomUUID()
    const body = () => this.#body('user.create', id, 'large', 'x'.repeat(largeBytes))
    this.#sent.set(id, { body, gated: true })
    return { id, body: body() }
  }

  #body(type: string, id: string, user: string, trouble?: string): string {
    const about = { type, id, createInstant: this.#startedAt }
    return JSON.stringify({ event: { ...about, user: { id: user, data: { trouble } } } })
  }

  /** Events of the users who are erased, as the receiver hands them to an engine. Nobody is told that they are kept. */
  arrivalsOfErased(count: number): Arrival[] {
    return Array.from({ length: count }, (_, n) => {
      const id = `1${randomUUID().slice(1)}` // A quick one.
      const user = erasedUsers[n % erasedUsers.length] ?? ''
      const body = Buffer.from(this.#body('user.update.complete', id, user))
      const times = { createInstant: this.#startedAt, receivedAt: this.#startedAt }
      return arrival(id, { ...times, body, lane: canonicalId(`/${user}`), subjects: [canonicalId(user)] })
    })
  }

  bodyOf(id: string): string {
    return this.#sent.get(id)?.body() ?? ''
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
    const [plain, troubled, gated] = [setOf(found.plain), setOf(found.troubled), setOf(found.gated)]
    const isLost = (id: string) => {
      const trouble = this.troubleOf(id)
      if (this.#sent.get(id)?.gated === true) return !kept.has(id) || !gated.has(id)
      if (!kept.has(id) || !atomic.has(id) || !plain.has(id)) return true
      return trouble !== killing && trouble !== postponing && !troubled.has(id)
    }
    const ids = [...this.acknowledged]
    return {
      lost: ids.filter(isLost).length,
      repeated: found.kept.length - kept.size + found.atomic.length - atomic.size,
      innocent: [...setOf(found.dead)].filter((id) => this.troubleOf(id) !== killing).length,
      wronglyPruned: found.bodiless.filter((id) => this.#sent.has(id) && !this.#prunable.has(id)).length,
      again:
        found.plain.length -
        plain.size +
        (found.troubled.length - troubled.size) +
        (found.gated.length - gated.size),
    }
  }
}

/** What was written to the file of effects: a line for each, with a handler, or `asked` for a gate, and the event's id. */
export interface Effects {
  readonly plain: readonly string[]
  readonly troubled: readonly string[]
  readonly gated: readonly string[]
  readonly asked: readonly string[]
}

export function effectsIn(file: string): Effects {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const of = (name: string) =>
    lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []))
  return { plain: of('plain'), troubled: of('troubled'), gated: of('gated'), asked: of('asked') }
}
