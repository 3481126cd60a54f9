import { fields, isFields, whole, without } from '../fields.ts'
import { merge } from '../merge.ts'
import type { System } from '../state/tables.ts'
import { notFoundError, ok, Problems, type ApiResponse } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { get, open, patch, put, type Call, type Route } from './route.ts'

function shown(system: System): ApiResponse {
  return ok({ systemConfiguration: without(system, 'id') })
}

function retrieve(call: Call): ApiResponse {
  const system = call.state.rows.system.get('system')
  if (system === undefined) throw notFoundError()
  return shown(system)
}

function update(call: Call) {
  return inTransaction(call, (tx) => {
    const before = tx.rows.system.get('system')
    if (before === undefined) throw notFoundError()
    const problems = new Problems()
    const given = call.body['systemConfiguration']
    if (!isFields(given)) problems.blank('systemConfiguration')
    const input = call.method === 'PATCH' ? merge(before, fields(given)) : fields(given)
    const log = fields(input['webhookEventLogConfiguration'])
    const { enabled, numberOfDaysToRetain } = fields(log['delete'])
    const days = whole(numberOfDaysToRetain) ?? 30
    if (days < 1) {
      const path = 'systemConfiguration.webhookEventLogConfiguration.delete.numberOfDaysToRetain'
      problems.add(path, 'tooSmall', 'Logs are kept for one day at least.')
    }
    problems.throwIfAny()
    const system: System = {
      ...input,
      id: 'system',
      insertInstant: before.insertInstant,
      lastUpdateInstant: tx.now,
      webhookEventLogConfiguration: {
        enabled: log['enabled'] !== false,
        delete: { enabled: enabled !== false, numberOfDaysToRetain: days },
      },
    }
    tx.rows.system.put(system)
    return shown(system)
  })
}

const version = (call: Call): string => (call.state.rules.compatibility === '1.36' ? '1.36.8' : '1.69.0')

export const systemConfiguration: readonly Route[] = [
  get('/api/system-configuration', retrieve),
  put('/api/system-configuration', update),
  patch('/api/system-configuration', update),
  get('/api/system/version', (call) => ok({ version: version(call) })),
  open(get('/api/status', () => ok({}))),
  open(get('/api/health', () => ok())),
]
