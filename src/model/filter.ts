import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import type { DeliveryState } from './delivery-state.ts'
import type { Aside, Kept, KeptDelivery } from './kept.ts'

/** Selects events of an inbox: those that match every member. An empty filter matches every event that was not set aside. */
export interface Filter {
  /** Events of this type, or of one of these. */
  readonly type?: OneOrMore<string>
  /** Events of this tenant. */
  readonly tenantId?: string
  /** Events that name this user in any role. */
  readonly userId?: string
  /** FusionAuth's id of one event. */
  readonly id?: string
  /** Events with a delivery to this handler. `state` and `errorText` then apply to that delivery only. */
  readonly handler?: string
  /**
   * Events with a delivery in this state, or in one of these; `refused`, `unhandled`, `conflict`, `stale` and `quarantined` are states of
   * events without deliveries. The last three, of events set aside, cannot be combined with others.
   */
  readonly state?: OneOrMore<State>
  /** Epoch ms, inclusive. */
  readonly receivedAfter?: number
  /** Epoch ms, exclusive. */
  readonly receivedBefore?: number
  /** Part of the error of a failed attempt; upper and lower case are the same. */
  readonly errorText?: string
}

/**
 * The state of a delivery; from `refused` on, of an event without deliveries: a gate refused it, no handler wants it, or it was set aside.
 */
export type State = DeliveryState | 'skipped' | 'refused' | 'unhandled' | Aside

export const states: readonly State[] = [
  'pending',
  'leased',
  'succeeded',
  'skipped',
  'dead',
  'abandoned',
  'refused',
  'unhandled',
  'conflict',
  'stale',
  'quarantined',
]

/** The kinds of set-aside events that a filter names; it then matches no other events. */
export function asidesOf({ state }: Filter): readonly Aside[] {
  return state === undefined ? [] : asList(state).filter(isAside)
}

/** Whether an event matches a filter, apart from `userId`, which only the engine can check. */
export function fits(kept: Kept, where: Filter): boolean {
  return fitsEvent(kept, where) && fitsFate(kept, where)
}

/** Which deliveries of an event a replay makes pending, and whether it also creates those that a handler wants and never got. */
export function replayOf(
  kept: Kept,
  where: Filter,
): { readonly ended: readonly KeptDelivery[]; readonly missing: boolean } {
  if (!fitsEvent(kept, where)) return { ended: [], missing: false }
  const { handler, state, errorText } = where
  const ended = kept.deliveries.filter(
    (delivery) =>
      delivery.state !== 'pending' && delivery.state !== 'leased' && deliveryFits(delivery, where),
  )
  const asked = state === undefined ? handler !== undefined : fitsWithoutDeliveries(kept, where)
  return { ended, missing: asked && errorText === undefined }
}

/** Whether a delivery matches the filter's handler, state and error text. */
export function deliveryFits(delivery: KeptDelivery, { handler, state, errorText }: Filter): boolean {
  return (
    (handler === undefined || delivery.handler === handler) &&
    (state === undefined || asList(state).includes(stateOf(delivery))) &&
    (errorText === undefined || failedWith(delivery, errorText.toLowerCase()))
  )
}

function fitsEvent(kept: Kept, where: Filter): boolean {
  const { type, tenantId, id, receivedAfter = -Infinity, receivedBefore = Infinity } = where
  return (
    (type === undefined || asList(type).includes(kept.type)) &&
    (tenantId === undefined || kept.key.tenantId === tenantId) &&
    (id === undefined || kept.key.id === id) &&
    kept.receivedAt >= receivedAfter &&
    kept.receivedAt < receivedBefore
  )
}

function fitsFate(kept: Kept, where: Filter): boolean {
  const { handler, state, errorText } = where
  if (handler === undefined && state === undefined && errorText === undefined) return true
  if (kept.deliveries.some((delivery) => deliveryFits(delivery, where))) return true
  return handler === undefined && errorText === undefined && fitsWithoutDeliveries(kept, where)
}

function fitsWithoutDeliveries(kept: Kept, { state }: Filter): boolean {
  if (kept.deliveries.length > 0 || state === undefined) return false
  return asList(state).includes(stateWithoutDeliveries(kept))
}

function stateWithoutDeliveries({ aside, refused }: Kept): State {
  return aside ?? (refused === undefined ? 'unhandled' : 'refused')
}

function stateOf({ state, reason }: KeptDelivery): State {
  return reason === 'skipped' ? 'skipped' : state
}

function failedWith({ failures }: KeptDelivery, text: string): boolean {
  return failures.some(({ message, stack = '' }) => `${message}\n${stack}`.toLowerCase().includes(text))
}

function isAside(state: State): state is Aside {
  return state === 'conflict' || state === 'stale' || state === 'quarantined'
}
