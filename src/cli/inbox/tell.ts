import type { KeptDelivery } from '../../model/kept.ts'
import { type Style, styled, type Text, text } from '../text.ts'
import type { Listed } from './end.ts'

/** An instant as people of every time zone can compare it. */
export function told(at: number): string {
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

/** What became of an event, in a word or two. */
export function fate({ gone, refused, aside, deliveries }: Listed): Text {
  if (gone !== undefined) return styled('dim', gone)
  if (aside !== undefined) return styled('yellow', aside)
  if (refused !== undefined) return styled('yellow', 'refused')
  const states = deliveries.map(stateOf)
  if (states.length === 0) return styled('dim', 'unhandled')
  const worst = ranked.find((state) => states.includes(state)) ?? 'succeeded'
  const many = states.filter((state) => state === worst).length
  return styled(
    styles[worst] ?? 'dim',
    states.length === 1 ? worst : text`${worst} ${many} of ${states.length}`,
  )
}

export function stateOf({ state, reason }: KeptDelivery): string {
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
