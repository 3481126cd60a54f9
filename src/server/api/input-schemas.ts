import * as v from 'valibot'
import type { OneOrMore } from '../../lib/one-or-more.ts'
import { states } from '../../model/filter.ts'

/*
 * What requests may say. The same schemas read query strings, where every value is text, and JSON bodies. Each message continues a sentence
 * that begins with the name of the value, and never repeats the value: it may name a person.
 */

const textMessage = 'must be a text that is not empty, given once.'
const textsMessage = 'must be a text that is not empty, or several.'
const instantMessage = 'must be an instant: ms since 1970, or a date like 2026-01-31T00:00:00Z.'
const limitMessage = 'must be a whole number from 1 to 500.'
const stateMessage = `must be one or several of ${states.join(', ')}.`

const nonEmptyText = v.pipe(v.string(textMessage), v.nonEmpty(textMessage))

function text(description: string) {
  return v.pipe(nonEmptyText, v.description(description))
}

/** One value or a list of them. A query string gives a list by repeating the name. */
function oneOrMore<Text extends string>(item: v.GenericSchema<Text>, message: string, description: string) {
  return v.pipe(
    v.union([item, v.pipe(v.array(item), v.nonEmpty(message))], message),
    v.description(description),
    v.transform((given) => given as OneOrMore<Text>), // The list has an item: nonEmpty().
  )
}

/** The latest and, negative, the earliest instant of a Date, in ms. */
const latestMs = 8.64e15

/** Epoch ms of a number, of a text of digits, or of a date; NaN for anything else. */
function epochMsOf(given: number | string): number {
  if (typeof given === 'number') return given
  return /^\d+$/.test(given) ? Number(given) : Date.parse(given)
}

function instant(description: string) {
  return v.pipe(
    v.union([v.number(), v.string()], instantMessage),
    v.check((given) => Math.abs(epochMsOf(given)) <= latestMs, instantMessage),
    v.description(`${description} In ms since 1970, or a date like 2026-01-31T00:00:00Z.`),
    v.transform(epochMsOf),
  )
}

const limit = v.exactOptional(
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.digits(limitMessage))], limitMessage),
    v.check(
      (given) => Number.isInteger(Number(given)) && Number(given) >= 1 && Number(given) <= 500,
      limitMessage,
    ),
    v.description('Entries of a page.'),
    v.metadata({ jsonSchema: { type: 'integer', minimum: 1, maximum: 500, default: 50 } }),
    v.transform(Number),
  ),
)
const after = v.exactOptional(text('The `next` of the page before.'))
const order = v.exactOptional(
  v.pipe(
    v.picklist(['newest', 'oldest'], 'must be newest or oldest.'),
    v.description('Which events come first. Default: `newest`.'),
  ),
)

const eventId = text("FusionAuth's id of the event.")
const tenantId = v.exactOptional(text('Events of this tenant.'))

const filter = {
  type: v.exactOptional(oneOrMore(nonEmptyText, textsMessage, 'Events of this type, or of one of these.')),
  tenantId,
  userId: v.exactOptional(text('Events that name this user, in whatever role.')),
  id: v.exactOptional(eventId),
  handler: v.exactOptional(
    text('Events with a delivery to this handler. `state` and `errorText` then look at that delivery alone.'),
  ),
  state: v.exactOptional(
    oneOrMore(
      v.picklist(states, stateMessage),
      stateMessage,
      'Events with a delivery in this state, or in one of these; from `refused` on, events without deliveries.',
    ),
  ),
  receivedAfter: v.exactOptional(instant('Events received at this instant or later.')),
  receivedBefore: v.exactOptional(instant('Events received before this instant.')),
  errorText: v.exactOptional(text('Events with a failure whose message or stack contains this text.')),
}
const { state: _, ...filterWithoutState } = filter

export const eventParams = v.strictObject({ id: eventId })
export const tenantInput = v.strictObject({
  tenantId: v.exactOptional(text('The tenant of the event, where tenants share an inbox.')),
})
export const emptyInput = v.strictObject({})
export const filterInput = v.strictObject(filter)
export const pagedFilterInput = v.strictObject({ ...filter, limit, after, order })
export const pagedDeadInput = v.strictObject({ ...filterWithoutState, limit, after, order })
export const pageInput = v.strictObject({ limit, after })
export const pruneInput = v.strictObject({
  before: instant('Events received before this instant.'),
  dead: v.exactOptional(
    v.pipe(
      v.boolean('must be true or false.'),
      v.description('Whether dead letters are pruned too. Default: false.'),
    ),
  ),
})
export const eraseInput = v.strictObject({
  userId: text('The user whose events are erased.'),
  tenantId: v.exactOptional(text('Only in this tenant. Default: in every tenant.')),
})
