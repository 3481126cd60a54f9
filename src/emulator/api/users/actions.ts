import { randomUUID } from 'node:crypto'
import { fields, never, text, texts, word, type Fields } from '../../fields.ts'
import type { Action, UserAction } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFoundError, ok, Problems, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { get, post, put, remove, type Call, type Route } from '../route.ts'
import type { EmulatorState } from '../../emulator-state.ts'
import { userOf } from './user-of.ts'

type Phase = 'start' | 'modify' | 'cancel' | 'end'

/** Sends a phase of an action, unless the caller sets `broadcast` to false. */
function fire(tx: Transaction, action: Action, phase: Phase, said: Fields): void {
  const userAction = tx.rows.userActions.get(action.userActionId)
  const user = tx.rows.users.get(action.actioneeUserId)
  if (userAction === undefined || user === undefined || said['broadcast'] === false) return
  const { actioneeUserId, actionerUserId, applicationIds } = action
  tx.fire({
    type: 'user.action',
    tenantId: user.tenantId,
    linkedObjectId: actioneeUserId,
    applicationIds,
    level: userAction.transactionType,
    fields: {
      action: userAction.name,
      actionId: userAction.id,
      actioneeUserId,
      actionerUserId,
      applicationIds,
      comment: action['comment'],
      emailedUser: false,
      expiry: action.expiry,
      localizedAction: userAction.name,
      localizedOption: action['option'],
      localizedReason: action['reason'],
      notifyUser: fields(said['action'])['notifyUser'] === true,
      option: action['option'],
      phase,
      reason: action['reason'],
      reasonCode: action['reasonCode'],
    },
  })
}

/** Epoch ms; a number too large for JavaScript is the Long that FusionAuth writes for "never". */
function expiryOf(value: unknown): number | object | undefined {
  if (typeof value !== 'number') return undefined
  return value >= 2 ** 63 ? never : value
}

async function start(call: Call): Promise<ApiResponse> {
  const answer = await inTransaction(call, (tx) => {
    const { rows, now } = tx
    const input = fields(call.body['action'])
    const problems = new Problems()
    const userAction = actionOf(tx, input['userActionId'], problems)
    const expiry = expiryOf(input['expiry'])
    if (text(input['actioneeUserId']) === undefined) problems.blank('action.actioneeUserId')
    if (userAction?.temporal === true && expiry === undefined) problems.blank('action.expiry')
    if (userAction?.temporal === false && expiry !== undefined) {
      problems.add('action.expiry', 'notAllowed', 'Only a temporal action expires.')
    }
    problems.throwIfAny()
    if (userAction === undefined) throw notFoundError()
    const reason = rows.userActionReasons.get(text(input['reasonId']) ?? '')
    const action: Action = {
      id: randomUUID(),
      name: userAction.name,
      localizedName: userAction.name,
      userActionId: userAction.id,
      actioneeUserId: userOf(call, rows, input['actioneeUserId']).id,
      actionerUserId: text(input['actionerUserId']),
      applicationIds: texts(input['applicationIds']).toSorted(),
      comment: text(input['comment']),
      expiry,
      option: text(input['option']),
      reason: reason?.text,
      reasonCode: reason?.code,
      endEventSent: false,
      insertInstant: now,
      history: { historyItems: [] },
    }
    rows.actions.put(action)
    fire(tx, action, 'start', call.body)
    return ok({ action })
  })
  awaitEnd(call.state, answer)
  return answer
}

function actionOf(tx: Transaction, id: unknown, problems: Problems): UserAction | undefined {
  const userAction = typeof id === 'string' ? tx.rows.userActions.get(id.toLowerCase()) : undefined
  if (id === undefined) problems.blank('action.userActionId')
  else if (userAction === undefined) {
    problems.add('action.userActionId', 'invalid', `There is no User Action with the id [${word(id)}].`)
  }
  return userAction
}

/** An action after a change. Its former values are added to the history. */
function revised(tx: Transaction, call: Call, expiry: number | object | undefined): Action {
  const before = tx.rows.actions.get(call.params['id'] ?? '')
  if (before === undefined) throw notFoundError()
  userOf(call, tx.rows, before.actioneeUserId)
  const input = fields(call.body['action'])
  const items = fields(before['history'])['historyItems']
  const item = {
    actionerUserId: before.actionerUserId,
    comment: before['comment'],
    createInstant: before.insertInstant,
    expiry: before.expiry,
  }
  return {
    ...before,
    actionerUserId: text(input['actionerUserId']) ?? before.actionerUserId,
    comment: text(input['comment']) ?? before['comment'],
    expiry: expiry ?? before.expiry,
    history: { historyItems: [...(Array.isArray(items) ? items : []), item] },
  }
}

async function modify(call: Call): Promise<ApiResponse> {
  const answer = await inTransaction(call, (tx) => {
    const expiry = expiryOf(fields(call.body['action'])['expiry'])
    const action = { ...revised(tx, call, expiry), endEventSent: false }
    tx.rows.actions.put(action)
    fire(tx, action, 'modify', call.body)
    return ok({ action })
  })
  awaitEnd(call.state, answer)
  return answer
}

function cancel(call: Call) {
  return inTransaction(call, (tx) => {
    const action = { ...revised(tx, call, tx.now), endEventSent: true }
    tx.rows.actions.put(action)
    fire(tx, action, 'cancel', call.body)
    return ok({ action })
  })
}

/** Sends the end of a committed action when it expires. */
function awaitEnd(state: EmulatorState, answer: ApiResponse): void {
  const { id, expiry } = fields(answer.body?.['action'])
  if (typeof id !== 'string' || typeof expiry !== 'number') return
  state.events.at(expiry, () => {
    if (!state.events.sender.stopped) void state.events.runTransaction((tx) => end(tx, id))
  })
}

function end(tx: Transaction, id: string): void {
  const action = tx.rows.actions.get(id)
  const over = typeof action?.expiry === 'number' && action.expiry <= tx.now && action.endEventSent === false
  if (action === undefined || !over) return
  tx.rows.actions.put({ ...action, endEventSent: true })
  if (tx.rows.userActions.get(action.userActionId)?.sendEndEvent === true) fire(tx, action, 'end', {})
}

function retrieve(call: Call): ApiResponse {
  const { rows } = call.state
  const { id } = call.params
  if (id !== undefined) {
    const action = rows.actions.get(id)
    if (action === undefined) throw notFoundError()
    return ok({ action })
  }
  const user = userOf(call, rows, call.query.get('userId'))
  const [active, preventing] = [call.query.get('active'), call.query.get('preventingLogin')]
  const isActive = ({ expiry }: Action) =>
    expiry !== undefined && (typeof expiry === 'object' || expiry > call.state.events.now())
  const actions = rows.actions
    .by('user', user.id)
    .filter((one) => active === null || isActive(one) === (active === 'true'))
    .filter((one) => preventing !== 'true' || rows.userActions.get(one.userActionId)?.preventLogin === true)
  return ok({ actions })
}

export const actions: readonly Route[] = [
  post('/api/user/action', start),
  get('/api/user/action/:id?', retrieve),
  put('/api/user/action/:id', modify),
  remove('/api/user/action/:id', cancel),
]
