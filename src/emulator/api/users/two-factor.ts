import { randomBytes } from 'node:crypto'
import { text, without } from '../../json.ts'
import type { Method, User } from '../../state/rows.ts'
import { missing, ok, Problems } from '../answer.ts'
import { change } from '../change.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { userOf } from './lookup.ts'
import { checkCode, fitsSecret, newSecret } from './one-time-password.ts'
import { aboutUser } from './shown.ts'

const newId = (): string => randomBytes(3).toString('hex').slice(0, 4).toUpperCase()
const newRecoveryCodes = (): string[] => Array.from({ length: 10 }, () => randomBytes(5).toString('hex'))

function enable(call: Call) {
  return change(call, (draft) => {
    const before = userOf(call, draft.rows)
    const problems = new Problems()
    const { body } = call
    const [method, code, secret] = [text(body['method']), text(body['code']), text(body['secret'])]
    if (method === undefined) problems.blank('method')
    if (code === undefined) problems.blank('code')
    else if (method === 'authenticator') {
      if (secret === undefined) problems.blank('secret')
      else if (!fitsSecret(code, secret, draft.now))
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
    const user: User = { ...before, twoFactor, lastUpdateInstant: draft.now }
    draft.rows.users.put(user)
    draft.fire(
      aboutUser('user.two-factor.method.add', user, draft.rows, { method: without(added, 'secret') }),
    )
    return ok({ recoveryCodes: known.length > 0 ? undefined : recoveryCodes })
  })
}

function disable(call: Call) {
  return change(call, (draft) => {
    const before = userOf(call, draft.rows)
    const methodId = call.query.get('methodId') ?? text(call.body['methodId'])
    const method = before.twoFactor.methods.find(({ id }) => id === methodId)
    if (method === undefined) throw missing()
    const code = call.query.get('code') ?? call.body['code']
    if (checkCode(before, code, draft.now) === undefined) return { status: 421 }
    const methods = before.twoFactor.methods.filter((other) => other !== method)
    const recoveryCodes = methods.length > 0 ? before.twoFactor.recoveryCodes : []
    const user: User = { ...before, twoFactor: { methods, recoveryCodes }, lastUpdateInstant: draft.now }
    draft.rows.users.put(user)
    draft.fire(
      aboutUser('user.two-factor.method.remove', user, draft.rows, { method: without(method, 'secret') }),
    )
    return ok()
  })
}

function renewRecoveryCodes(call: Call) {
  return change(call, (draft) => {
    const user = userOf(call, draft.rows)
    const recoveryCodes = newRecoveryCodes()
    draft.rows.users.put({ ...user, twoFactor: { ...user.twoFactor, recoveryCodes } })
    return ok({ recoveryCodes })
  })
}

export const twoFactor: readonly Route[] = [
  open(get('/api/two-factor/secret', () => ok(newSecret()))),
  post('/api/two-factor/send', () => ok()),
  get('/api/user/two-factor/recovery-code/:userId', (call) =>
    ok({ recoveryCodes: userOf(call, call.world.rows).twoFactor.recoveryCodes }),
  ),
  post('/api/user/two-factor/recovery-code/:userId', renewRecoveryCodes),
  post('/api/user/two-factor/:userId', enable),
  remove('/api/user/two-factor/:userId', disable),
]
