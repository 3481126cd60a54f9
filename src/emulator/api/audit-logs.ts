import { fields, text, type Fields } from '../fields.ts'
import type { AuditLog } from '../state/tables.ts'
import { notFoundError, ok, Problems, type ApiResponse } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { get, post, type Call, type Route } from './route.ts'
import { searchCriteria, equals, isBetween, matches } from './search-criteria.ts'
import { page } from './page.ts'

/** Entries are written only by the API: the emulator has no console. If the entry names a tenant, the event belongs to that tenant. */
function create(call: Call) {
  return inTransaction(call, (tx) => {
    const input = fields(call.body['auditLog'])
    const problems = new Problems()
    const [message, tenantId] = [text(input['message']), text(input['tenantId'])]
    if (message === undefined) problems.blank('auditLog.message')
    if (tenantId !== undefined && tx.rows.tenants.get(tenantId) === undefined) {
      problems.add('auditLog.tenantId', 'invalid', `There is no Tenant with the id [${tenantId}].`)
    }
    problems.throwIfAny()
    const id = (tx.rows.auditLogs.all().at(-1)?.log.id ?? 0) + 1
    const log: AuditLog['log'] = { ...input, id, message: message ?? '', insertInstant: tx.now }
    tx.rows.auditLogs.put({ id: String(id), log })
    tx.fire({ type: 'audit-log.create', tenantId, fields: { auditLog: log } })
    return ok({ auditLog: log })
  })
}

function retrieve(call: Call): ApiResponse {
  const row = call.state.rows.auditLogs.get(call.params['id'] ?? '')
  if (row === undefined) throw notFoundError()
  return ok({ auditLog: row.log })
}

function search(call: Call): ApiResponse {
  const criteria: Fields = searchCriteria(call)
  const rows = call.state.rows.auditLogs
    .all()
    .map(({ log }) => log)
    .filter(
      (log) =>
        matches(criteria['message'], log.message) && matches(criteria['user'], text(log['insertUser'])),
    )
    .filter((log) => equals(criteria['tenantId'], log['tenantId']))
    .filter(({ insertInstant }) => isBetween(insertInstant, criteria))
  const result = page(rows, criteria, ['insertInstant', 'insertUser', 'message'], 'insertInstant DESC')
  return ok({ auditLogs: result.rows, total: result.total })
}

export const auditLogs: readonly Route[] = [
  post('/api/system/audit-log', create),
  post('/api/system/audit-log/search', search),
  get('/api/system/audit-log/search', search),
  get('/api/system/audit-log/:id', retrieve),
]
