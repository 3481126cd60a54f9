import { randomBytes } from 'node:crypto'
import { text, without } from '../../fields.ts'
import type { Method, User } from '../../state/tables.ts'
import { notFoundError, ok, Problems } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { userOf } from './user-of.ts'
import { checkCode, fitsSecret, newSecret } from './one-time-password.ts'
import { userEvent } from './user-event.ts'

const newId = (): string => randomBytes(3).toString('hex').slice(0, 4).toUpperCase()
const newRecoveryCodes = (): string[] => Array.from({ length: 10 }, () => randomBytes(5).toString('hex'))

function enable(call: Call) {
  return inTransaction(call, (tx) => {
    const before = userOf(call, tx.rows)
    const problems = new Problems()
    const { body } = call
    const [method, code, secret] = [text(body['method']), text(body['code']), text(body['secret'])]
    if (method === undefined) problems.blank('method')
    if (code === undefined) problems.blank('code')
    else if (method === 'authenticator') {
      if (secret === undefined) problems.blank('secret')
      else if (!fitsSecret(code, secret, tx.now))
        problems.add('code', 'invalid', 'The code is not of this secret.')
    }
    problems.throwIfAny()
    const added: Method = {
      id: newId(),
      method: method ?? '',
      email: method === 'email' ? (text(body['email']) ?? before.email) : undefined,
      mobilePhone: text(body['mobilePhone']),
      name: text(body['name']),
      secret,
      ...(method === 'authenticator' && {
        authenticator: { algorithm: 'HmacSHA1', codeLength: 6, timeStep: 30 },
      }),
    }
    const known = before.twoFactor.recoveryCodes
    const recoveryCodes = known.length > 0 ? known : newRecoveryCodes()
    const twoFactor = { methods: [...before.twoFactor.methods, added], recoveryCodes }
    const user: User = { ...before, twoFactor, lastUpdateInstant: tx.now }
    tx.rows.users.put(user)
    tx.fire(userEvent('user.two-factor.method.add', user, tx.rows, { method: without(added, 'secret') }))
    return ok({ recoveryCodes: known.length > 0 ? undefined : recoveryCodes })
  })
}

function disable(call: Call) {
  return inTransaction(call, (tx) => {
    const before = userOf(call, tx.rows)
    const methodId = call.query.get('methodId') ?? text(call.body['methodId'])
    const method = before.twoFactor.methods.find(({ id }) => id === methodId)
    if (method === undefined) throw notFoundError()
    const code = call.query.get('code') ?? call.body['code']
    if (checkCode(before, code, tx.now) === undefined) return { status: 421 }
    const methods = before.twoFactor.methods.filter((other) => other !== method)
    const recoveryCodes = methods.length > 0 ? before.twoFactor.recoveryCodes : []
    const user: User = { ...before, twoFactor: { methods, recoveryCodes }, lastUpdateInstant: tx.now }
    tx.rows.users.put(user)
    tx.fire(userEvent('user.two-factor.method.remove', user, tx.rows, { method: without(method, 'secret') }))
    return ok()
  })
}

function renewRecoveryCodes(call: Call) {
  return inTransaction(call, (tx) => {
    const user = userOf(call, tx.rows)
    const recoveryCodes = newRecoveryCodes()
    tx.rows.users.put({ ...user, twoFactor: { ...user.twoFactor, recoveryCodes } })
    return ok({ recoveryCodes })
  })
}

export const twoFactor: readonly Route[] = [
  open(get('/api/two-factor/secret', () => ok(newSecret()))),
  post('/api/two-factor/send', () => ok()),
  get('/api/user/two-factor/recovery-code/:userId', (call) =>
    ok({ recoveryCodes: userOf(call, call.state.rows).twoFactor.recoveryCodes }),
  ),
  post('/api/user/two-factor/recovery-code/:userId', renewRecoveryCodes),
  post('/api/user/two-factor/:userId', enable),
  remove('/api/user/two-factor/:userId', disable),
]
