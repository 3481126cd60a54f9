import { fields, isFields, text } from '../fields.ts'
import type { UserAction, UserActionReason } from '../state/tables.ts'
import type { Transaction } from '../system/event-system.ts'
import { isLevel } from '../system/level.ts'
import { notFoundError, ok } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { nameOf, routesOf, type Resource } from './resource.ts'
import { get, put, remove, type Call, type Route } from './route.ts'

const resource: Resource<UserAction> = {
  one: 'userAction',
  many: 'userActions',
  path: '/api/user-action',
  view: (rows) => rows.userActions,
  write: (tx, row) => tx.rows.userActions.put(row),
  erase: (tx, row) => tx.rows.userActions.remove(row.id),
  read(reader) {
    const { input, base, before, problems, tx } = reader
    const { transactionType } = input
    if (transactionType !== undefined && !isLevel(transactionType)) {
      problems.add('userAction.transactionType', 'couldNotConvert', 'This is not a transaction type.')
    }
    return {
      ...input,
      ...base,
      name: nameOf(reader, 'userAction.name', tx.rows.userActions.all()),
      active: before?.active ?? true,
      localizedNames: fields(input['localizedNames']),
      options: Array.isArray(input['options']) ? input['options'].filter(isFields) : [],
      preventLogin: input['preventLogin'] === true,
      sendEndEvent: input['sendEndEvent'] !== false,
      temporal: input['temporal'] === true,
      transactionType: isLevel(transactionType) ? transactionType : undefined,
    }
  },
}

const reasons: Resource<UserActionReason> = {
  one: 'userActionReason',
  many: 'userActionReasons',
  path: '/api/user-action-reason',
  view: (rows) => rows.userActionReasons,
  write: (tx, row) => tx.rows.userActionReasons.put(row),
  erase: (tx, row) => tx.rows.userActionReasons.remove(row.id),
  read({ input, base, problems }) {
    const [code, words] = [text(input['code']), text(input['text'])]
    if (code === undefined) problems.blank('userActionReason.code')
    if (words === undefined) problems.blank('userActionReason.text')
    return { ...input, ...base, code: code ?? '', text: words ?? '' }
  },
}

function setActive(call: Call, tx: Transaction, active: boolean): UserAction {
  const before = tx.rows.userActions.get(call.params['id'] ?? '')
  if (before === undefined) throw notFoundError()
  const userAction = { ...before, active, lastUpdateInstant: tx.now }
  tx.rows.userActions.put(userAction)
  return userAction
}

const [create, retrieve, replace, update, erase] = routesOf(resource)

export const userActions: readonly Route[] = [
  get('/api/user-action', (call) => {
    const inactive = call.query.get('inactive') === 'true'
    return ok({ userActions: call.state.rows.userActions.all().filter((one) => one.active !== inactive) })
  }),
  ...[create, retrieve, update].filter((route) => route !== undefined),
  put('/api/user-action/:id', (call) => {
    if (call.query.get('reactivate') !== 'true') return replace?.handle(call) ?? { status: 404 }
    return inTransaction(call, (tx) => ok({ userAction: setActive(call, tx, true) }))
  }),
  remove('/api/user-action/:id', (call) => {
    if (call.query.get('hardDelete') === 'true') return erase?.handle(call) ?? { status: 404 }
    return inTransaction(call, (tx) => {
      setActive(call, tx, false)
      return ok()
    })
  }),
  ...routesOf(reasons),
]
