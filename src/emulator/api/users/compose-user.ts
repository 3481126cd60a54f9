import { randomUUID } from 'node:crypto'
import { fields, isFields, text, texts, type Fields } from '../../fields.ts'
import type { Identity, LoginIdType, Method, Tenant, User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import type { Problems } from '../api-response.ts'
import type { Stamped } from '../resource.ts'
import { userByLoginId } from './user-by-login-id.ts'
import { shownUser } from './shown-user.ts'

const loginIdTypes: readonly LoginIdType[] = ['email', 'phoneNumber', 'username']

/** Fields that a request cannot set: they are stored elsewhere or decided by FusionAuth. */
const readOnlyFields = new Set([
  'password',
  'salt',
  'factor',
  'encryptionScheme',
  'memberships',
  'registrations',
  'twoFactor',
  'identities',
  'active',
  'verified',
  'tenantId',
])

export interface Composing {
  readonly input: Fields
  readonly before?: User | undefined
  readonly base: Stamped
  readonly tenant: Tenant
  /** Login ids count as verified from the start. */
  readonly verified: boolean
  readonly problems: Problems
}

/** Makes a user of a request. Errors go to `problems`; a login id that is in use also fires its event. */
export function composeUser(tx: Transaction, composing: Composing): User {
  const { input, before, base, tenant, problems } = composing
  const own = Object.fromEntries(Object.entries(input).filter(([name]) => !readOnlyFields.has(name)))
  const identities = identitiesOf(tx, composing)
  const user: User = {
    ...own,
    ...base,
    tenantId: tenant.id,
    active: before?.active ?? true,
    connectorId: before?.['connectorId'] ?? 'e3306678-a53a-4964-9040-1c96f36dda72',
    data: fields(input['data']),
    email: text(input['email']),
    username: text(input['username']),
    phoneNumber: text(input['phoneNumber']),
    preferredLanguages: texts(input['preferredLanguages']),
    uniqueUsername: text(input['username']),
    usernameStatus: 'ACTIVE',
    lastLoginInstant: before?.['lastLoginInstant'],
    passwordLastUpdateInstant: before?.['passwordLastUpdateInstant'],
    identities,
    verified: identities.find(({ type }) => type === 'email')?.verified ?? composing.verified,
    registrations: before?.registrations ?? [],
    twoFactor: before?.twoFactor ?? { methods: methodsOf(input['twoFactor']), recoveryCodes: [] },
  }
  if (identities.length === 0) {
    problems.blank('user.email')
    problems.blank('user.username')
  }
  refuseDuplicates(tx, user, before, problems)
  return user
}

function identitiesOf({ now }: Transaction, { input, before, verified, problems }: Composing): Identity[] {
  return loginIdTypes.flatMap((type): Identity[] => {
    const given = input[type]
    if (given === undefined || given === null || given === '') return []
    if (typeof given !== 'string') {
      problems.add(`user.${type}`, 'couldNotConvert', `The [user.${type}] property must be a string.`)
      return []
    }
    if (type === 'email' && !/^[^@\s]+@[^@\s]+$/.test(given)) {
      problems.add('user.email', 'notEmail', 'The [user.email] property is not a valid email address.')
    }
    const same = before?.identities.find((one) => one.type === type && one.value === given)
    if (same !== undefined) return [same]
    const reason = verified ? 'Disabled' : 'Pending'
    return [
      {
        displayValue: given,
        insertInstant: now,
        lastUpdateInstant: now,
        primary: true,
        type,
        value: given,
        verified,
        verifiedReason: reason,
        ...(verified && { verifiedInstant: now }),
      },
    ]
  })
}

function refuseDuplicates(tx: Transaction, user: User, before: User | undefined, problems: Problems): void {
  const taken = user.identities.flatMap(({ type, value }) => {
    const owner = userByLoginId(tx.rows, user.tenantId, value, [type])
    return owner === undefined || owner.id === user.id ? [] : { type, value, owner }
  })
  const [first] = taken
  if (first === undefined) return
  for (const { type } of taken) {
    problems.add(`user.${type}`, 'duplicate', `A User with this [${type}] already exists.`)
  }
  const value = (wanted: LoginIdType) => taken.find(({ type }) => type === wanted)?.value
  tx.fire({
    type: before === undefined ? 'user.loginId.duplicate.create' : 'user.loginId.duplicate.update',
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    fields: {
      user: shownUser(user, tx.rows),
      existing: shownUser(first.owner, tx.rows),
      duplicateEmail: value('email'),
      duplicatePhoneNumber: value('phoneNumber'),
      duplicateUsername: value('username'),
      duplicateIdentities: taken.map(({ type, value: duplicate }) => ({ type, value: duplicate })),
    },
  })
}

function methodsOf(twoFactor: unknown): Method[] {
  const given = fields(twoFactor)['methods']
  if (!Array.isArray(given)) return []
  return given.filter(isFields).map((method) => ({
    ...method,
    id: text(method['id']) ?? randomUUID().slice(0, 4).toUpperCase(),
    method: text(method['method']) ?? 'authenticator',
    secret: text(method['secret']),
  }))
}
