import { text } from '../../json.ts'
import type { User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { missing, notFound, ok, Problems, Refusal, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { get, open, post, type Call, type Route } from '../route.ts'
import { newCode, redeem } from './codes.ts'
import { userNamed, userOf } from './lookup.ts'
import { checkPassword, fits, putPassword } from './password.ts'
import { aboutUser } from './shown.ts'
import { subjectOf } from './access-token.ts'

/** Begins a reset. The message counts as sent unless the caller asks for none. */
function forgot(call: Call) {
  return change(call, (draft) => {
    const { loginId, email, username } = call.body
    const wanted = text(loginId) ?? text(email) ?? text(username)
    const problems = new Problems()
    if (wanted === undefined) problems.blank('loginId')
    problems.throwIfAny()
    const user = userNamed(call, draft.rows, wanted)
    if (user === undefined) return notFound
    const changePasswordId = newCode(draft, user, { purpose: 'change password' })
    draft.fire(aboutUser('user.password.reset.start', user, draft.rows))
    const quiet = [call.body['sendForgotPasswordEmail'], call.body['sendForgotPasswordMessage']].includes(
      false,
    )
    if (!quiet) draft.fire(aboutUser('user.password.reset.send', user, draft.rows))
    return ok({ changePasswordId })
  })
}

/** By the code of a reset, by the user's own access token, or by login id with the current password. */
function changePassword(call: Call) {
  return change(call, (draft) => {
    const problems = new Problems()
    checkPassword(call.body['password'], 'password', problems)
    problems.throwIfAny()
    const code = call.params['code'] ?? call.body['changePasswordId']
    const user =
      code === undefined
        ? knownUser(draft, call)
        : userOf(call, draft.rows, redeem(draft, code, 'change password').userId)
    putPassword(draft, user.id, String(call.body['password']))
    const changed: User = { ...user, passwordLastUpdateInstant: draft.now, lastUpdateInstant: draft.now }
    draft.rows.users.put(changed)
    if (code !== undefined) draft.fire(aboutUser('user.password.reset.success', changed, draft.rows))
    draft.fire(aboutUser('user.password.update', changed, draft.rows))
    return ok({})
  })
}

function knownUser(draft: Draft, call: Call): User {
  const subject = call.authorization?.startsWith('Bearer ') ? subjectOf(call, call.authorization) : undefined
  if (subject === undefined && call.key === undefined) throw new Refusal({ status: 401 })
  const user =
    subject === undefined ? userNamed(call, draft.rows, call.body['loginId']) : draft.rows.users.get(subject)
  if (user === undefined) throw missing()
  if (!fits(call.body['currentPassword'], draft.rows.passwords.get(user.id))) throw missing()
  return user
}

function check(call: Call): Answer {
  return call.world.rows.codes.get(call.params['code'] ?? '')?.purpose === 'change password' ? ok() : notFound
}

export const passwords: readonly Route[] = [
  post('/api/user/forgot-password', forgot),
  open(get('/api/user/change-password/:code', check)),
  open(post('/api/user/change-password/:code?', changePassword)),
]
