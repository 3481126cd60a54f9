import type { Want } from './engine.ts'

/**
 * A delivery that was leased when its process ended, and has not been attempted since. One of the deliveries that the process held may have
 * ended it, so they are attempted again in halves until the one that ends the process runs alone.
 */
export interface Suspect {
  readonly handler: string
  /** The lease has expired unsettled. False: it waits until it is leased again. */
  readonly expired: boolean
  /**
   * How many deliveries the process that ended held, this one included. 0: not counted yet, because this one was not a suspect when it was
   * leased.
   */
  readonly company: number
  /** How often its process ended while it ran alone. */
  readonly crashes: number
  readonly attempts: number
}

export interface JudgedSuspects<S extends Suspect> {
  /** To lease now and run together: at most half of those that were held together. */
  readonly lease: readonly S[]
  /** The number of deliveries that `lease` runs with, itself included. */
  readonly company: number
  /** These wait, with their new counts. */
  readonly wait: readonly { readonly suspect: S; readonly company: number; readonly crashes: number }[]
  readonly dead: readonly { readonly suspect: S; readonly reason: 'crashed' | 'interrupted' }[]
  /** The new `crashes` of those in `lease`. */
  readonly crashes: ReadonlyMap<S, number>
}

/** After this many crashes while it ran alone, a delivery becomes a dead letter. */
const lastCrash = 3

/**
 * Decides what becomes of suspects, in the order given. Those of the largest group are leased first: the delivery that ends the process is in
 * the smallest group, so the others succeed before the process ends again.
 *
 * @param beside How many other deliveries the process holds.
 */
export function judgeSuspects<S extends Suspect>(
  suspects: readonly S[],
  wants: readonly Want[],
  beside: number,
): JudgedSuspects<S> {
  const wantOf = new Map(wants.map((want) => [want.handler, want]))
  const uncounted = suspects.filter(({ expired, company }) => expired && company === 0).length
  const dead: { suspect: S; reason: 'crashed' | 'interrupted' }[] = []
  const counted: { suspect: S; company: number; crashes: number }[] = []

  for (const suspect of suspects) {
    const { expired, attempts } = suspect
    const maxAttempts = wantOf.get(suspect.handler)?.maxAttempts
    const crashes = suspect.crashes + (expired && suspect.company === 1 ? 1 : 0)
    // A single expired lease may have been held together with others that were settled: it is not known to have run alone.
    const known = suspect.company === 0 ? Math.max(2, uncounted) : suspect.company
    if (crashes >= lastCrash) dead.push({ suspect, reason: 'crashed' })
    else if (expired && maxAttempts !== undefined && attempts >= maxAttempts) {
      dead.push({ suspect, reason: 'interrupted' })
    }
    // With maxAttempts, an attempt that another suspect cuts off is lost, so it is retried with at most one other.
    else counted.push({ suspect, company: maxAttempts === undefined ? known : Math.min(2, known), crashes })
  }

  const room = new Map(wants.map(({ handler, limit }) => [handler, limit]))
  const lease: S[] = []
  const crashes = new Map<S, number>()
  const wait: { suspect: S; company: number; crashes: number }[] = []
  for (const one of counted.toSorted((a, b) => b.company - a.company)) {
    const { suspect, company } = one
    const left = room.get(suspect.handler) ?? 0
    const fits = lease.length === 0 || lease.length + beside + 1 <= company / 2
    if (left === 0 || !fits) {
      wait.push(one)
      continue
    }
    room.set(suspect.handler, left - 1)
    lease.push(suspect)
    crashes.set(suspect, one.crashes)
  }
  return { lease, company: lease.length + beside, wait, dead, crashes }
}
