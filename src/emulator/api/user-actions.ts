import { fields, isFields, text } from '../json.ts'
import type { UserAction, UserActionReason } from '../state/rows.ts'
import type { Draft } from '../system/event-system.ts'
import { isLevel } from '../system/levels.ts'
import { missing, ok } from './answer.ts'
import { change } from './change.ts'
import { nameOf, routesOf, type Resource } from './resource.ts'
import { get, put, remove, type Call, type Route } from './route.ts'

const resource: Resource<UserAction> = {
  one: 'userAction',
  many: 'userActions',
  path: '/api/user-action',
  view: (rows) => rows.userActions,
  write: (draft, row) => draft.rows.userActions.put(row),
  erase: (draft, row) => draft.rows.userActions.remove(row.id),
  read(reader) {
    const { input, base, before, problems, draft } = reader
    const { transactionType } = input
    if (transactionType !== undefined && !isLevel(transactionType)) {
      problems.add('userAction.transactionType', 'couldNotConvert', 'This is not a transaction type.')
    }
    return {
      ...input,
      ...base,
      name: nameOf(reader, 'userAction.name', draft.rows.userActions.all()),
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
  write: (draft, row) => draft.rows.userActionReasons.put(row),
  erase: (draft, row) => draft.rows.userActionReasons.remove(row.id),
  read({ input, base, problems }) {
    const [code, words] = [text(input['code']), text(input['text'])]
    if (code === undefined) problems.blank('userActionReason.code')
    if (words === undefined) problems.blank('userActionReason.text')
    return { ...input, ...base, code: code ?? '', text: words ?? '' }
  },
}

function setActive(call: Call, draft: Draft, active: boolean): UserAction {
  const before = draft.rows.userActions.get(call.params['id'] ?? '')
  if (before === undefined) throw missing()
  const userAction = { ...before, active, lastUpdateInstant: draft.now }
  draft.rows.userActions.put(userAction)
  return userAction
}

const [create, retrieve, replace, update, erase] = routesOf(resource)

export const userActions: readonly Route[] = [
  get('/api/user-action', (call) => {
    const inactive = call.query.get('inactive') === 'true'
    return ok({ userActions: call.world.rows.userActions.all().filter((one) => one.active !== inactive) })
  }),
  ...[create, retrieve, update].filter((route) => route !== undefined),
  put('/api/user-action/:id', (call) => {
    if (call.query.get('reactivate') !== 'true') return replace?.handle(call) ?? { status: 404 }
    return change(call, (draft) => ok({ userAction: setActive(call, draft, true) }))
  }),
  remove('/api/user-action/:id', (call) => {
    if (call.query.get('hardDelete') === 'true') return erase?.handle(call) ?? { status: 404 }
    return change(call, (draft) => {
      setActive(call, draft, false)
      return ok()
    })
  }),
  ...routesOf(reasons),
]
