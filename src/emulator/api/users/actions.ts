import { randomUUID } from 'node:crypto'
import { fields, never, text, texts, word, type Fields } from '../../json.ts'
import type { Action, UserAction } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { missing, ok, Problems, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { get, post, put, remove, type Call, type Route } from '../route.ts'
import type { World } from '../../world.ts'
import { userOf } from './lookup.ts'

type Phase = 'start' | 'modify' | 'cancel' | 'end'

/** Tells of a phase of an action, unless the caller does not want it broadcast. */
function fire(draft: Draft, action: Action, phase: Phase, said: Fields): void {
  const userAction = draft.rows.userActions.get(action.userActionId)
  const user = draft.rows.users.get(action.actioneeUserId)
  if (userAction === undefined || user === undefined || said['broadcast'] === false) return
  const { actioneeUserId, actionerUserId, applicationIds } = action
  draft.fire({
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

/** Epoch ms; a Long too large for JavaScript is the one FusionAuth writes for "never". */
function expiryOf(value: unknown): number | object | undefined {
  if (typeof value !== 'number') return undefined
  return value >= 2 ** 63 ? never : value
}

async function start(call: Call): Promise<Answer> {
  const answer = await change(call, (draft) => {
    const { rows, now } = draft
    const input = fields(call.body['action'])
    const problems = new Problems()
    const userAction = actionOf(draft, input['userActionId'], problems)
    const expiry = expiryOf(input['expiry'])
    if (text(input['actioneeUserId']) === undefined) problems.blank('action.actioneeUserId')
    if (userAction?.temporal === true && expiry === undefined) problems.blank('action.expiry')
    if (userAction?.temporal === false && expiry !== undefined) {
      problems.add('action.expiry', 'notAllowed', 'Only a temporal action expires.')
    }
    problems.throwIfAny()
    if (userAction === undefined) throw missing()
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
    fire(draft, action, 'start', call.body)
    return ok({ action })
  })
  awaitEnd(call.world, answer)
  return answer
}

function actionOf(draft: Draft, id: unknown, problems: Problems): UserAction | undefined {
  const userAction = typeof id === 'string' ? draft.rows.userActions.get(id.toLowerCase()) : undefined
  if (id === undefined) problems.blank('action.userActionId')
  else if (userAction === undefined) {
    problems.add('action.userActionId', 'invalid', `There is no User Action with the id [${word(id)}].`)
  }
  return userAction
}

/** What a request does to an action under way; what it was goes to the history. */
function revised(draft: Draft, call: Call, expiry: number | object | undefined): Action {
  const before = draft.rows.actions.get(call.params['id'] ?? '')
  if (before === undefined) throw missing()
  userOf(call, draft.rows, before.actioneeUserId)
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

async function modify(call: Call): Promise<Answer> {
  const answer = await change(call, (draft) => {
    const expiry = expiryOf(fields(call.body['action'])['expiry'])
    const action = { ...revised(draft, call, expiry), endEventSent: false }
    draft.rows.actions.put(action)
    fire(draft, action, 'modify', call.body)
    return ok({ action })
  })
  awaitEnd(call.world, answer)
  return answer
}

function cancel(call: Call) {
  return change(call, (draft) => {
    const action = { ...revised(draft, call, draft.now), endEventSent: true }
    draft.rows.actions.put(action)
    fire(draft, action, 'cancel', call.body)
    return ok({ action })
  })
}

/** When an action that was committed expires, its end is told too. */
function awaitEnd(world: World, answer: Answer): void {
  const { id, expiry } = fields(answer.body?.['action'])
  if (typeof id !== 'string' || typeof expiry !== 'number') return
  world.events.at(expiry, () => {
    if (!world.events.courier.stopped) void world.events.operate((draft) => end(draft, id))
  })
}

function end(draft: Draft, id: string): void {
  const action = draft.rows.actions.get(id)
  const over =
    typeof action?.expiry === 'number' && action.expiry <= draft.now && action.endEventSent === false
  if (action === undefined || !over) return
  draft.rows.actions.put({ ...action, endEventSent: true })
  if (draft.rows.userActions.get(action.userActionId)?.sendEndEvent === true) fire(draft, action, 'end', {})
}

function retrieve(call: Call): Answer {
  const { rows } = call.world
  const { id } = call.params
  if (id !== undefined) {
    const action = rows.actions.get(id)
    if (action === undefined) throw missing()
    return ok({ action })
  }
  const user = userOf(call, rows, call.query.get('userId'))
  const [active, preventing] = [call.query.get('active'), call.query.get('preventingLogin')]
  const isActive = ({ expiry }: Action) =>
    expiry !== undefined && (typeof expiry === 'object' || expiry > call.world.events.now())
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
