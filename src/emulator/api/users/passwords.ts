import { text } from '../../fields.ts'
import type { User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFoundError, notFound, ok, Problems, ApiError, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { get, open, post, type Call, type Route } from '../route.ts'
import { createCode, redeemCode } from './create-code.ts'
import { userOfLoginId, userOf } from './user-of.ts'
import { checkPassword, passwordMatches, putPassword } from './check-password.ts'
import { userEvent } from './user-event.ts'
import { subjectOf } from './access-token.ts'

/** Begins a reset. The message counts as sent, unless the caller asks for none. */
function forgot(call: Call) {
  return inTransaction(call, (tx) => {
    const { loginId, email, username } = call.body
    const wanted = text(loginId) ?? text(email) ?? text(username)
    const problems = new Problems()
    if (wanted === undefined) problems.blank('loginId')
    problems.throwIfAny()
    const user = userOfLoginId(call, tx.rows, wanted)
    if (user === undefined) return notFound
    const changePasswordId = createCode(tx, user, { purpose: 'change password' })
    tx.fire(userEvent('user.password.reset.start', user, tx.rows))
    const quiet = [call.body['sendForgotPasswordEmail'], call.body['sendForgotPasswordMessage']].includes(
      false,
    )
    if (!quiet) tx.fire(userEvent('user.password.reset.send', user, tx.rows))
    return ok({ changePasswordId })
  })
}

/** By the code of a reset, by the user's own access token, or by login id with the current password. */
function changePassword(call: Call) {
  return inTransaction(call, (tx) => {
    const problems = new Problems()
    checkPassword(call.body['password'], 'password', problems)
    problems.throwIfAny()
    const code = call.params['code'] ?? call.body['changePasswordId']
    const user =
      code === undefined
        ? knownUser(tx, call)
        : userOf(call, tx.rows, redeemCode(tx, code, 'change password').userId)
    putPassword(tx, user.id, String(call.body['password']))
    const changed: User = { ...user, passwordLastUpdateInstant: tx.now, lastUpdateInstant: tx.now }
    tx.rows.users.put(changed)
    if (code !== undefined) tx.fire(userEvent('user.password.reset.success', changed, tx.rows))
    tx.fire(userEvent('user.password.update', changed, tx.rows))
    return ok({})
  })
}

function knownUser(tx: Transaction, call: Call): User {
  const subject = call.authorization?.startsWith('Bearer ') ? subjectOf(call, call.authorization) : undefined
  if (subject === undefined && call.key === undefined) throw new ApiError({ status: 401 })
  const user =
    subject === undefined ? userOfLoginId(call, tx.rows, call.body['loginId']) : tx.rows.users.get(subject)
  if (user === undefined) throw notFoundError()
  if (!passwordMatches(call.body['currentPassword'], tx.rows.passwords.get(user.id))) throw notFoundError()
  return user
}

function check(call: Call): ApiResponse {
  return call.state.rows.codes.get(call.params['code'] ?? '')?.purpose === 'change password' ? ok() : notFound
}

export const passwords: readonly Route[] = [
  post('/api/user/forgot-password', forgot),
  open(get('/api/user/change-password/:code', check)),
  open(post('/api/user/change-password/:code?', changePassword)),
]
