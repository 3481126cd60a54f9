import * as v from 'valibot'

/*
 * What the admin listener answers. Members that a schema does not know are allowed: a newer server may add some.
 * test/types/admin-api.types.ts holds these schemas and the types of src/model together.
 */

const epochMs = (description: string) => v.pipe(v.number(), v.description(`${description} Epoch ms.`))
const count = (description: string) => v.pipe(v.number(), v.integer(), v.description(description))
const text = (description: string) => v.pipe(v.string(), v.description(description))
const next = v.exactOptional(text('Give this as `after` for the next page. Absent at the end.'))

const failure = v.object({
  at: epochMs('When the attempt failed.'),
  message: text('The message of the error that the handler threw.'),
  stack: v.exactOptional(v.string()),
})

const delivery = v.object({
  handler: v.string(),
  state: v.picklist(['pending', 'leased', 'succeeded', 'dead', 'abandoned']),
  attempts: count('Attempts so far.'),
  reason: v.exactOptional(
    text('Why it ended so: the reason of a dead letter, `skipped`, `erased` or `gone`.'),
  ),
  failures: v.pipe(v.array(failure), v.description('The last failures, oldest first, at most 10.')),
})

const eventKey = {
  createInstant: epochMs("The event's `createInstant`, 0 where FusionAuth sent none."),
  tenantId: text('Empty for an event of no tenant.'),
  id: text("The event's id in lower case when it is a UUID, else `sha256:` and a hash."),
}
const eventType = text('The type of the event.')
const receivedAt = epochMs('When the request arrived.')

const summary = {
  ...eventKey,
  type: eventType,
  source: v.picklist(['door', 'reconcile', 'manual']),
  receivedAt,
  keptAt: v.exactOptional(epochMs('When the event was on disk.')),
  size: count('Bytes of its body.'),
  gone: v.exactOptional(
    v.pipe(v.picklist(['pruned', 'erased', 'unwanted']), v.description('Why the inbox has no body of it.')),
  ),
  refused: v.exactOptional(text('Why a gate refused the event.')),
  aside: v.exactOptional(
    v.pipe(
      v.picklist(['conflict', 'stale', 'quarantined']),
      v.description('Why the event was set aside, and has no deliveries.'),
    ),
  ),
  deliveries: v.array(delivery),
}

export const eventSummary = v.object(summary)

export const maskedEvent = v.object({
  ...summary,
  event: v.exactOptional(
    v.pipe(
      v.unknown(),
      v.description('What the event says, personal data masked. Absent: its body is gone.'),
    ),
  ),
})

export const eventPage = v.object({ items: v.array(eventSummary), next })

export const deliveryEntry = v.object({ ...eventKey, type: eventType, receivedAt, ...delivery.entries })

export const deliveryPage = v.object({ items: v.array(deliveryEntry), next })

export const receipt = v.object({
  at: epochMs('When the request arrived.'),
  tookMs: v.pipe(v.number(), v.description('From its headers to the decision.')),
  status: count('The HTTP status of the answer.'),
  outcome: text('`refused`, or what a gate did: `denied`, `failed`, `timeout`.'),
  reason: v.exactOptional(text("Why, never in the sender's words.")),
  type: v.exactOptional(eventType),
  id: v.exactOptional(eventKey.id),
})

export const receiptPage = v.object({ items: v.array(receipt), next })

const blockedLane = v.object({
  lane: v.exactOptional(text('Absent for a delivery without a lane.')),
  since: epochMs('Since when it has failed without a success.'),
  pending: count('Deliveries in it, the failing one included.'),
})

const handlerOverview = v.object({
  handler: v.string(),
  pending: count('Deliveries that have not ended.'),
  dead: count('Dead letters.'),
  oldestPendingAt: v.exactOptional(epochMs('When the oldest pending one was received.')),
  abandonedAt: v.exactOptional(
    epochMs('Since when it gets no deliveries, because no process had run it for 7 days.'),
  ),
  abandoned: v.pipe(v.boolean(), v.description('No process runs this handler now.')),
  blocked: v.pipe(
    v.array(blockedLane),
    v.description('Lanes whose first delivery fails, longest first, at most 20.'),
  ),
})

export const node = v.object({
  id: v.string(),
  host: v.string(),
  pid: v.number(),
  startedAt: epochMs('When the process started.'),
  seenAt: v.exactOptional(epochMs('Its last sign of life.')),
  handlers: v.pipe(v.array(v.string()), v.description('Handlers that it runs.')),
})

export const nodeList = v.object({ items: v.array(node) })

export const overview = v.object({
  events: count('Events in the inbox.'),
  bytes: v.pipe(v.number(), v.description('Bytes of its store, free space not counted.')),
  aside: count('Events that were set aside.'),
  types: v.pipe(
    v.array(
      v.object({ type: eventType, events: v.number(), lastHour: count('Received within the last hour.') }),
    ),
    v.description('Most frequent first.'),
  ),
  handlers: v.array(handlerOverview),
  nodes: v.pipe(
    v.array(node),
    v.description('Processes that gave a sign of life within the last two minutes.'),
  ),
})

export const replayed = v.object({ deliveries: count('Deliveries that were made pending again.') })
export const pruned = v.object({ events: count('Events that were pruned.') })
export const erasure = v.object({
  events: count('Events whose body, failures and lanes are gone.'),
  deliveries: count('Deliveries that had not ended and now never run.'),
  bytes: v.pipe(
    v.picklist(['scrubbed', 'pending', 'remnants', 'overwritten later']),
    v.description(
      '`scrubbed`: no file of the inbox holds them. `pending`: a process that reads keeps an older state alive; erase again. `remnants`: unused space of the file may hold them. `overwritten later`: the database overwrites them in its own time.',
    ),
  ),
  unreached: v.pipe(
    v.array(v.string()),
    v.description('Where data of the person may also be, out of reach of the inbox.'),
  ),
})

/** One line of `/export`. */
export const exportLine = v.object({
  key: v.object(eventKey),
  ...v.omit(eventSummary, ['createInstant', 'tenantId', 'id']).entries,
  body: v.exactOptional(text('The body as it came, when it is UTF-8.')),
  bodyBase64: v.exactOptional(text('The body as it came, when it is not UTF-8.')),
})

const at = epochMs('When it happened.')
const tookMs = v.number()

/** The data of a `receipt` message of `/stream`. */
export const streamReceipt = v.object({
  at,
  status: v.number(),
  outcome: v.string(),
  reason: v.exactOptional(v.string()),
  tookMs,
  type: v.exactOptional(eventType),
  id: v.exactOptional(v.string()),
})

/** The data of an `attempt` message of `/stream`. */
export const streamAttempt = v.object({
  at,
  handler: v.string(),
  attempt: v.exactOptional(count('From 1. Absent for `crashed`.')),
  type: v.exactOptional(eventType),
  id: v.string(),
  tenantId: v.string(),
  outcome: v.picklist(['succeeded', 'skipped', 'retry', 'wait', 'dead', 'lost', 'crashed']),
  tookMs: v.exactOptional(tookMs),
  error: v.exactOptional(text('The message of the error that the handler threw.')),
})

/** The data of a `missed` message of `/stream`. */
export const streamMissed = v.object({ messages: count('Messages that this reader was too slow for.') })

/** Every answer that is no success. */
export const errorAnswer = v.object({
  errors: v.array(
    v.object({ code: text('A stable code in brackets, such as `[badRequest]`.'), message: v.string() }),
  ),
})
