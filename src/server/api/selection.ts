import { type Filter, type State, states } from '../../model/filter.ts'
import type { PageOptions } from '../../inbox/inbox.ts'
import { type Given, wrong } from './given.ts'

/** What events are asked for by. */
export const filterNames = [
  'type',
  'tenantId',
  'userId',
  'id',
  'handler',
  'state',
  'receivedAfter',
  'receivedBefore',
  'errorText',
] as const
export const pageNames = ['limit', 'after', 'order'] as const

/** The filter in what was given. The inbox itself looks at what the words mean. */
export function filterOf(given: Given): Filter {
  const entries = [
    ...(['tenantId', 'userId', 'id', 'handler', 'errorText'] as const).map((name) => [
      name,
      given.text(name),
    ]),
    ...(['receivedAfter', 'receivedBefore'] as const).map((name) => [name, given.instant(name)]),
    ['type', given.texts('type')],
    ['state', statesOf(given)],
  ]
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Filter // Each member as it was read.
}

/** Where in a list. */
export function pageOf(given: Given): PageOptions {
  const [limit, after, order] = [given.wholeNumber('limit'), given.text('after'), given.text('order')]
  if (order !== undefined && order !== 'newest' && order !== 'oldest') {
    throw wrong('order must be newest or oldest.')
  }
  return {
    ...(limit !== undefined && { limit }),
    ...(after !== undefined && { after }),
    ...(order !== undefined && { order }),
  }
}

function statesOf(given: Given): readonly State[] | undefined {
  const words = given.texts('state')
  if (words === undefined || words.every((word) => states.some((state) => state === word))) {
    return words as readonly State[] | undefined // As was just seen.
  }
  throw wrong(`state must be of ${states.join(', ')}.`)
}
