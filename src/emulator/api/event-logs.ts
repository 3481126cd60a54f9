import type { Fields } from '../fields.ts'
import { isAccepted, type PostAttempt, type LogEntry } from '../system/event-log.ts'
import { notFoundError, ok, type ApiResponse } from './api-response.ts'
import { isBetween } from './search-criteria.ts'
import { get, post, type Call, type Route } from './route.ts'
import { searchCriteria, equals, matches } from './search-criteria.ts'
import { page } from './page.ts'

const minuteMs = 60_000

function shownAttempt(attempt: PostAttempt): Fields {
  const { id, webhookId, url, startInstant, endInstant, statusCode, exception } = attempt
  return {
    attemptResult: isAccepted(attempt) ? 'Success' : 'Failure',
    data: {},
    endInstant,
    id,
    startInstant,
    webhookCallResponse: { exception, statusCode, url },
    webhookId,
  }
}

function shown(entry: LogEntry): Fields {
  const { id, sequence, eventType, linkedObjectId, insertInstant, lastUpdateInstant, attempts, result } =
    entry
  const successful = attempts.filter(isAccepted).length
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

/** Default: the last hour. */
function search(call: Call): ApiResponse {
  const given = searchCriteria(call)
  const now = call.state.events.now()
  const floor = (instant: number) => instant - (instant % minuteMs)
  const criteria = { start: floor(now - 60 * minuteMs), end: floor(now + minuteMs), ...given }
  const entries = call.state.events.log
    .all()
    .filter((entry) => isBetween(entry.insertInstant, criteria))
    .filter(
      (entry) => equals(given['eventType'], entry.eventType) && equals(given['eventResult'], entry.result),
    )
    .filter((entry) => given['event'] === undefined || matches(given['event'], entry.body.toString()))
  // Sorted before they are converted, because converting parses the body.
  const rows = entries.map((entry) => ({
    ...entry,
    eventResult: entry.result,
    lastAttemptInstant: entry.attempts.at(-1)?.endInstant,
  }))
  const result = page(rows, criteria, orderable, 'insertInstant DESC, sequence DESC')
  return ok({ total: result.total, webhookEventLogs: result.rows.map(shown) })
}

function retrieve(call: Call): ApiResponse {
  const entry = call.state.events.log.get(call.params['id'] ?? '')
  if (entry === undefined) throw notFoundError()
  return ok({ webhookEventLog: shown(entry) })
}

function retrieveAttempt(call: Call): ApiResponse {
  for (const entry of call.state.events.log.all()) {
    const attempt = entry.attempts.find(({ id }) => id === call.params['id'])
    if (attempt === undefined) continue
    return ok({ webhookAttemptLog: { ...shownAttempt(attempt), webhookEventLogId: entry.id } })
  }
  throw notFoundError()
}

function searchDiagnostics(call: Call): ApiResponse {
  const criteria = searchCriteria(call)
  const rows = call.state.events.diagnostics
    .all()
    .filter(({ message, type }) => matches(criteria['message'], message) && equals(criteria['type'], type))
    .filter(({ insertInstant }) => isBetween(insertInstant, criteria))
    .map((entry) => ({ ...entry }))
  const result = page(rows, criteria, ['id', 'insertInstant', 'type'], 'insertInstant DESC, id DESC')
  return ok({ eventLogs: result.rows, total: result.total })
}

function retrieveDiagnostic(call: Call): ApiResponse {
  const eventLog = call.state.events.diagnostics.get(Number(call.params['id']))
  if (eventLog === undefined) throw notFoundError()
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
