import type { Fields } from '../json.ts'
import { accepted, type Attempt, type Entry } from '../system/log.ts'
import { missing, ok, type Answer } from './answer.ts'
import { within } from './audit-logs.ts'
import { get, post, type Call, type Route } from './route.ts'
import { criteriaOf, equals, matches, page } from './search.ts'

const minuteMs = 60_000

function shownAttempt(attempt: Attempt): Fields {
  const { id, webhookId, url, startInstant, endInstant, statusCode, exception } = attempt
  return {
    attemptResult: accepted(attempt) ? 'Success' : 'Failure',
    data: {},
    endInstant,
    id,
    startInstant,
    webhookCallResponse: { exception, statusCode, url },
    webhookId,
  }
}

function shown(entry: Entry): Fields {
  const { id, sequence, eventType, linkedObjectId, insertInstant, lastUpdateInstant, attempts, result } =
    entry
  const successful = attempts.filter(accepted).length
  return {
    attempts: attempts.map(shownAttempt),
    data: {},
    event: JSON.parse(entry.body.toString()),
    eventResult: result,
    eventType,
    failedAttempts: attempts.length - successful,
    id,
    insertInstant,
    lastAttemptInstant: attempts.at(-1)?.endInstant ?? insertInstant,
    lastUpdateInstant,
    linkedObjectId,
    sequence,
    successfulAttempts: successful,
  }
}

const orderable = [
  'eventResult',
  'eventType',
  'id',
  'insertInstant',
  'lastAttemptInstant',
  'linkedObjectId',
  'sequence',
]

/** Without `start` and `end`, the last hour. */
function search(call: Call): Answer {
  const given = criteriaOf(call)
  const now = call.world.events.now()
  const floor = (instant: number) => instant - (instant % minuteMs)
  const criteria = { start: floor(now - 60 * minuteMs), end: floor(now + minuteMs), ...given }
  const entries = call.world.events.log
    .all()
    .filter((entry) => within(entry.insertInstant, criteria))
    .filter(
      (entry) => equals(given['eventType'], entry.eventType) && equals(given['eventResult'], entry.result),
    )
    .filter((entry) => given['event'] === undefined || matches(given['event'], entry.body.toString()))
  // Ordered before they are shown: showing parses.
  const rows = entries.map((entry) => ({
    ...entry,
    eventResult: entry.result,
    lastAttemptInstant: entry.attempts.at(-1)?.endInstant,
  }))
  const result = page(rows, criteria, orderable, 'insertInstant DESC, sequence DESC')
  return ok({ total: result.total, webhookEventLogs: result.rows.map(shown) })
}

function retrieve(call: Call): Answer {
  const entry = call.world.events.log.get(call.params['id'] ?? '')
  if (entry === undefined) throw missing()
  return ok({ webhookEventLog: shown(entry) })
}

function retrieveAttempt(call: Call): Answer {
  for (const entry of call.world.events.log.all()) {
    const attempt = entry.attempts.find(({ id }) => id === call.params['id'])
    if (attempt === undefined) continue
    return ok({ webhookAttemptLog: { ...shownAttempt(attempt), webhookEventLogId: entry.id } })
  }
  throw missing()
}

function searchDiagnostics(call: Call): Answer {
  const criteria = criteriaOf(call)
  const rows = call.world.events.diagnostics
    .all()
    .filter(({ message, type }) => matches(criteria['message'], message) && equals(criteria['type'], type))
    .filter(({ insertInstant }) => within(insertInstant, criteria))
    .map((entry) => ({ ...entry }))
  const result = page(rows, criteria, ['id', 'insertInstant', 'type'], 'insertInstant DESC, id DESC')
  return ok({ eventLogs: result.rows, total: result.total })
}

function retrieveDiagnostic(call: Call): Answer {
  const eventLog = call.world.events.diagnostics.get(Number(call.params['id']))
  if (eventLog === undefined) throw missing()
  return ok({ eventLog })
}

export const eventLogs: readonly Route[] = [
  get('/api/system/webhook-event-log/search', search),
  post('/api/system/webhook-event-log/search', search),
  get('/api/system/webhook-event-log/:id', retrieve),
  get('/api/system/webhook-attempt-log/:id', retrieveAttempt),
  post('/api/system/event-log/search', searchDiagnostics),
  get('/api/system/event-log/search', searchDiagnostics),
  get('/api/system/event-log/:id', retrieveDiagnostic),
]
