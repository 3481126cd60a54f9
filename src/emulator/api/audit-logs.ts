import { fields, text, type Fields } from '../json.ts'
import type { AuditLog } from '../state/rows.ts'
import { missing, ok, Problems, type Answer } from './answer.ts'
import { change } from './change.ts'
import { get, post, type Call, type Route } from './route.ts'
import { criteriaOf, equals, matches, page } from './search.ts'

/** Written by API only: the emulator has no console whose use it could log. With a tenant, the event is that tenant's. */
function create(call: Call) {
  return change(call, (draft) => {
    const input = fields(call.body['auditLog'])
    const problems = new Problems()
    const [message, tenantId] = [text(input['message']), text(input['tenantId'])]
    if (message === undefined) problems.blank('auditLog.message')
    if (tenantId !== undefined && draft.rows.tenants.get(tenantId) === undefined) {
      problems.add('auditLog.tenantId', 'invalid', `There is no Tenant with the id [${tenantId}].`)
    }
    problems.throwIfAny()
    const id = (draft.rows.auditLogs.all().at(-1)?.log.id ?? 0) + 1
    const log: AuditLog['log'] = { ...input, id, message: message ?? '', insertInstant: draft.now }
    draft.rows.auditLogs.put({ id: String(id), log })
    draft.fire({ type: 'audit-log.create', tenantId, fields: { auditLog: log } })
    return ok({ auditLog: log })
  })
}

function retrieve(call: Call): Answer {
  const row = call.world.rows.auditLogs.get(call.params['id'] ?? '')
  if (row === undefined) throw missing()
  return ok({ auditLog: row.log })
}

function search(call: Call): Answer {
  const criteria: Fields = criteriaOf(call)
  const rows = call.world.rows.auditLogs
    .all()
    .map(({ log }) => log)
    .filter(
      (log) =>
        matches(criteria['message'], log.message) && matches(criteria['user'], text(log['insertUser'])),
    )
    .filter((log) => equals(criteria['tenantId'], log['tenantId']))
    .filter(({ insertInstant }) => within(insertInstant, criteria))
  const result = page(rows, criteria, ['insertInstant', 'insertUser', 'message'], 'insertInstant DESC')
  return ok({ auditLogs: result.rows, total: result.total })
}

/** Whether an instant is between a search's `start` and `end`. */
export function within(instant: number, { start, end }: Fields): boolean {
  return (typeof start !== 'number' || instant >= start) && (typeof end !== 'number' || instant <= end)
}

export const auditLogs: readonly Route[] = [
  post('/api/system/audit-log', create),
  post('/api/system/audit-log/search', search),
  get('/api/system/audit-log/search', search),
  get('/api/system/audit-log/:id', retrieve),
]
