import type { KeptDelivery } from '../../model/kept.ts'
import { type Style, styled, type Text, text } from '../text.ts'
import type { EventSummary } from '../../server/api/summarize-event.ts'

/** The state of an event, in one or two words. */
export function eventState({ gone, refused, aside, deliveries }: EventSummary): Text {
  if (gone !== undefined) return styled('dim', gone)
  if (aside !== undefined) return styled('yellow', aside)
  if (refused !== undefined) return styled('yellow', 'refused')
  const states = deliveries.map(deliveryState)
  if (states.length === 0) return styled('dim', 'unhandled')
  const worst = ranked.find((state) => states.includes(state)) ?? 'succeeded'
  const many = states.filter((state) => state === worst).length
  return styled(
    styles[worst] ?? 'dim',
    states.length === 1 ? worst : text`${worst} ${many} of ${states.length}`,
  )
}

export function deliveryState({ state, reason }: KeptDelivery): string {
  return reason === 'skipped' || reason === 'erased' ? reason : state
}

const ranked = ['dead', 'leased', 'pending', 'abandoned', 'erased', 'succeeded', 'skipped']
const styles: Readonly<Record<string, Style>> = {
  dead: 'red',
  abandoned: 'yellow',
  leased: 'yellow',
  pending: 'yellow',
  succeeded: 'green',
}
