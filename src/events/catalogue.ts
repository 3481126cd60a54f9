import type { EventType, TransactionalType } from './types.ts'

/** What is known about one type of event. Paths start below `event`; `valuesAt` reads them. */
export interface EventFacts {
  /** Which webhooks get it. Before FusionAuth 1.37.0 `application or tenant` events went to the webhooks of applications; since then to those of the tenant. */
  readonly scope: 'instance' | 'tenant' | 'application or tenant'
  /** Sent inside FusionAuth's transaction, so that the answer can refuse it. */
  readonly transactional: boolean
  /** The transactional type whose commit this one reports. */
  readonly completes?: TransactionalType
  /** The first version of FusionAuth that sent it. Absent: FusionAuth documents none. */
  readonly since?: string
  /** Without this license FusionAuth never sends it. */
  readonly license?: 'enterprise' | 'paid'
  readonly summary: string
  /** Paths that are never missing, besides `type`, `id` and `createInstant`. The types rely on them, and they are checked before a handler runs. */
  readonly promised: readonly string[]
  /** Paths to whole users: `user`, `users[]`. A `redact` path below `user` applies to each of them. */
  readonly users: readonly string[]
  /** Paths to registrations outside of a user. */
  readonly registrations: readonly string[]
  /** Paths to live credentials: anyone who reads one can use it. */
  readonly secrets: readonly string[]
  /** Paths to user ids: a person's events are found and erased by these. */
  readonly subjects: readonly string[]
  /** Paths, outside of the users, to present and former login ids of `event.user`. */
  readonly loginIdsOfUser: readonly string[]
  /** Paths, outside of the users, to login ids of other people, whose user id the event may lack. */
  readonly loginIdsOfOthers: readonly string[]
}

/** The facts that a family of types has in common. */
type Carried = Omit<EventFacts, 'transactional' | 'completes' | 'since' | 'license' | 'summary'>

// ── paths to credentials and login ids in the objects that events contain

const registrationSecrets = (at: string) => [`${at}.authenticationToken`, `${at}.tokens`]

const userSecrets = (at: string): readonly string[] => [
  `${at}.password`,
  `${at}.salt`,
  `${at}.twoFactor.recoveryCodes`,
  `${at}.twoFactor.methods[].secret`,
  ...registrationSecrets(`${at}.registrations[]`),
]

/** Paths to the login ids of a user, below the user. */
export const userLoginIds = [
  'email',
  'mobilePhone',
  'phoneNumber',
  'uniqueUsername',
  'username',
  'identities[].value',
] as const

function withUsers(carried: Carried, ...places: readonly string[]): Carried {
  return {
    ...carried,
    users: [...carried.users, ...places],
    secrets: [...carried.secrets, ...places.flatMap(userSecrets)],
    subjects: [...carried.subjects, ...places.map((at) => `${at}.id`)],
  }
}

function withRegistrations(carried: Carried, ...places: readonly string[]): Carried {
  return {
    ...carried,
    registrations: [...carried.registrations, ...places],
    secrets: [...carried.secrets, ...places.flatMap(registrationSecrets)],
  }
}

function withLoginIds(carried: Carried, of: 'user' | 'others', ...paths: readonly string[]): Carried {
  const name = of === 'user' ? 'loginIdsOfUser' : 'loginIdsOfOthers'
  return { ...carried, [name]: [...carried[name], ...paths] }
}

// ── families

const noUsers: Carried = {
  scope: 'instance',
  promised: [],
  users: [],
  registrations: [],
  secrets: [],
  subjects: [],
  loginIdsOfUser: [],
  loginIdsOfOthers: [],
}

const group: Carried = { ...noUsers, scope: 'tenant', promised: ['group', 'group.id'] }

const members: Carried = { ...group, subjects: ['members[].userId'] }

const entity: Carried = {
  ...noUsers,
  scope: 'tenant',
  promised: ['entity', 'entity.id'],
  secrets: ['entity.clientSecret'],
}

const entityUpdate: Carried = {
  ...entity,
  promised: [...entity.promised, 'original', 'original.id'],
  secrets: [...entity.secrets, 'original.clientSecret'],
}

const user: Carried = withUsers({ ...noUsers, scope: 'tenant', promised: ['user', 'user.id'] }, 'user')

const userUpdate: Carried = withUsers(user, 'original')

const login: Carried = { ...user, scope: 'application or tenant' }

const link: Carried = {
  ...user,
  secrets: [...user.secrets, 'identityProviderLink.token'],
  subjects: [...user.subjects, 'identityProviderLink.userId'],
}

const duplicate: Carried = withLoginIds(
  withUsers(login, 'existing'),
  'others',
  'duplicateEmail',
  'duplicateIdentities[].value',
  'duplicatePhoneNumber',
  'duplicateUsername',
)

const method: Carried = { ...user, secrets: [...user.secrets, 'method.secret'] }

const registration: Carried = withRegistrations(user, 'registration')

const registrationUpdate: Carried = withRegistrations(registration, 'original')

const transactional = { transactional: true } as const
const afterwards = { transactional: false } as const
const enterprise = { license: 'enterprise' } as const

/** The row of a `.complete` type. */
function completes<T extends TransactionalType>(
  type: T,
): { transactional: false; completes: T; summary: string } {
  return { transactional: false, completes: type, summary: `\`${type}\` was committed.` }
}

/** Makes the compiler compare the table with the types: every type has a row, and the row agrees with the type's name. */
type FactsOf<T extends EventType> = EventFacts & {
  readonly transactional: T extends TransactionalType ? true : false
} & (T extends `${infer Started extends TransactionalType}.complete`
    ? { readonly completes: Started }
    : { readonly completes?: never })

/** Every event type of FusionAuth 1.69. */
export const catalogue: { readonly [T in EventType]: FactsOf<T> } = {
  // ── the instance
  'audit-log.create': {
    // What changed is often a user; no other secret is known to be written there.
    ...withLoginIds(
      withUsers(noUsers, 'auditLog.oldValue', 'auditLog.newValue'),
      'others',
      'auditLog.insertUser',
    ),
    ...afterwards,
    since: '1.30.0',
    summary: 'An entry was written to the audit log, by the admin console or the API.',
  },
  'event-log.create': {
    ...noUsers,
    ...afterwards,
    since: '1.30.0',
    summary: 'FusionAuth logged a diagnostic message.',
  },
  'kickstart.success': {
    ...noUsers,
    ...afterwards,
    since: '1.30.0',
    summary: 'A kickstart file ran to its end.',
  },
  test: { ...noUsers, ...afterwards, summary: 'Someone pressed the test button of the Kafka integration.' },

  // ── tokens
  'jwt.public-key.update': {
    ...noUsers,
    ...transactional,
    scope: 'application or tenant',
    summary: 'The key that signs the tokens of these applications may change.',
  },
  'jwt.refresh': {
    ...noUsers,
    ...transactional,
    scope: 'application or tenant',
    since: '1.16.0',
    summary: 'A refresh token is traded for a new access token.',
    secrets: ['token', 'original', 'refreshToken'],
    subjects: ['userId'],
  },
  'jwt.refresh-token.revoke': {
    ...withUsers(
      { ...noUsers, secrets: ['refreshToken.token'], subjects: ['userId', 'refreshToken.userId'] },
      'user',
    ),
    ...transactional,
    scope: 'application or tenant',
    summary: 'Refresh tokens are revoked: one, all of a user, or all of an application.',
  },

  // ── groups
  'group.create': { ...group, ...transactional, since: '1.38.0', summary: 'A group is created.' },
  'group.create.complete': { ...group, ...completes('group.create'), since: '1.38.0' },
  'group.delete': { ...group, ...transactional, since: '1.38.0', summary: 'A group is deleted.' },
  'group.delete.complete': { ...group, ...completes('group.delete'), since: '1.38.0' },
  'group.update': { ...group, ...transactional, since: '1.38.0', summary: 'A group is changed.' },
  'group.update.complete': { ...group, ...completes('group.update'), since: '1.38.0' },
  'group.member.add': { ...members, ...transactional, since: '1.38.0', summary: 'Users join a group.' },
  'group.member.add.complete': { ...members, ...completes('group.member.add'), since: '1.38.0' },
  'group.member.remove': {
    ...members,
    ...transactional,
    since: '1.38.0',
    summary: "Some of a group's users leave it.",
  },
  'group.member.remove.complete': { ...members, ...completes('group.member.remove'), since: '1.38.0' },
  'group.member.update': {
    ...members,
    ...transactional,
    since: '1.38.0',
    summary: "A group's users are replaced, or all of them leave.",
  },
  'group.member.update.complete': { ...members, ...completes('group.member.update'), since: '1.38.0' },

  // ── users
  'user.create': { ...user, ...transactional, summary: 'A user is created, other than by import.' },
  'user.create.complete': { ...user, ...completes('user.create'), since: '1.30.0' },
  'user.update': {
    ...userUpdate,
    ...transactional,
    summary: 'A user is changed, or signs in through an identity provider, changed or not.',
  },
  'user.update.complete': { ...userUpdate, ...completes('user.update'), since: '1.30.0' },
  'user.deactivate': {
    ...user,
    ...transactional,
    summary: 'A user is deactivated, what FusionAuth also calls a soft delete.',
  },
  'user.reactivate': { ...user, ...transactional, summary: 'A deactivated user is made active again.' },
  'user.delete': { ...user, ...transactional, summary: 'A user is deleted for good.' },
  'user.delete.complete': { ...user, ...completes('user.delete'), since: '1.30.0' },
  'user.bulk.create': {
    ...withUsers(noUsers, 'users[]'),
    ...transactional,
    scope: 'tenant',
    summary: 'Users are imported: one event for all of them, and no `user.create`.',
    promised: ['users', 'users[].id'],
  },
  'user.action': {
    ...withLoginIds(noUsers, 'others', 'email.to[].address'),
    ...transactional,
    scope: 'application or tenant',
    summary: 'A user action is taken on a user, or starts, changes, is cancelled or ends.',
    subjects: ['actioneeUserId', 'actionerUserId'],
  },

  // ── registrations
  'user.registration.create': {
    ...registration,
    ...transactional,
    since: '1.6.0',
    summary: 'A user is registered for an application.',
  },
  'user.registration.create.complete': {
    ...registration,
    ...completes('user.registration.create'),
    since: '1.30.0',
  },
  'user.registration.update': {
    ...registrationUpdate,
    ...transactional,
    since: '1.6.0',
    summary: 'A registration is changed, its roles for example.',
  },
  'user.registration.update.complete': {
    ...registrationUpdate,
    ...completes('user.registration.update'),
    since: '1.30.0',
  },
  'user.registration.delete': {
    ...registration,
    ...transactional,
    since: '1.6.0',
    summary: 'A registration is deleted.',
  },
  'user.registration.delete.complete': {
    ...registration,
    ...completes('user.registration.delete'),
    since: '1.30.0',
  },
  'user.registration.verified': {
    ...registration,
    ...transactional,
    since: '1.8.0',
    summary: 'A registration is verified.',
  },

  // ── identities
  'user.email.update': {
    ...withLoginIds(user, 'user', 'previousEmail'),
    ...afterwards,
    since: '1.30.0',
    summary: 'A user has a new email address.',
  },
  'user.email.verified': {
    ...user,
    ...transactional,
    since: '1.8.0',
    summary: 'A user proves to own an email address. From 1.59.0 on, `user.identity.verified` says so too.',
  },
  'user.identity.verified': {
    ...withLoginIds(user, 'user', 'loginId'),
    ...transactional,
    since: '1.59.0',
    summary: 'Someone proves to own an email address or phone number, perhaps before there is a user.',
    promised: [],
  },
  'user.identity.update': {
    ...withLoginIds(user, 'user', 'newLoginId', 'previousLoginId'),
    ...transactional,
    since: '1.59.0',
    summary: "A user's login id changes. FusionAuth names this type but may not send it yet.",
    promised: [],
  },
  'user.identity-provider.link': {
    ...link,
    ...afterwards,
    since: '1.36.0',
    summary: 'A user was linked to an account at an identity provider.',
  },
  'user.identity-provider.unlink': {
    ...link,
    ...afterwards,
    since: '1.36.0',
    summary: 'A link to an account at an identity provider was removed.',
  },
  'user.loginId.duplicate.create': {
    ...duplicate,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user was refused because its login id belongs to somebody else.',
  },
  'user.loginId.duplicate.update': {
    ...duplicate,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A change was refused because the new login id belongs to somebody else.',
  },

  // ── signing in
  'user.login.success': { ...login, ...transactional, since: '1.6.0', summary: 'A user signs in.' },
  'user.login.failed': {
    ...login,
    ...transactional,
    since: '1.6.0',
    summary: 'A user that exists fails to sign in: wrong password, or refused by a lambda.',
  },
  'user.login.new-device': {
    ...user,
    ...transactional,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user signs in from a device not seen before.',
  },
  'user.login.suspicious': {
    ...user,
    ...transactional,
    ...enterprise,
    since: '1.30.0',
    summary: 'A sign-in looks like a threat; `threatsDetected` says why.',
  },

  // ── two factors
  'user.two-factor.challenge': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.68.0',
    summary: 'A user was asked for a second factor.',
  },
  'user.two-factor.success': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.68.0',
    summary: 'A second factor was right.',
  },
  'user.two-factor.failed-attempt': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.68.0',
    summary: 'A second factor was wrong.',
  },
  'user.two-factor.method.add': {
    ...method,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user has one more second factor.',
  },
  'user.two-factor.method.remove': {
    ...method,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user has one second factor less.',
  },

  // ── passwords
  'user.password.breach': {
    ...user,
    ...transactional,
    license: 'paid',
    since: '1.15.0',
    summary: 'A user signs in with a password known from a breach, and the tenant does not force a new one.',
  },
  'user.password.reset.start': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user forgot the password and asked for a new one.',
  },
  'user.password.reset.send': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A message to set a new password went out.',
  },
  'user.password.reset.success': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A forgotten password was replaced.',
  },
  'user.password.update': {
    ...user,
    ...afterwards,
    ...enterprise,
    since: '1.30.0',
    summary: 'A user has a new password.',
  },

  // ── entities
  'entity.create': { ...entity, ...transactional, since: '1.69.0', summary: 'An entity is created.' },
  'entity.create.complete': { ...entity, ...completes('entity.create'), since: '1.69.0' },
  'entity.update': { ...entityUpdate, ...transactional, since: '1.69.0', summary: 'An entity is changed.' },
  'entity.update.complete': { ...entityUpdate, ...completes('entity.update'), since: '1.69.0' },
  'entity.delete': { ...entity, ...transactional, since: '1.69.0', summary: 'An entity is deleted.' },
  'entity.delete.complete': { ...entity, ...completes('entity.delete'), since: '1.69.0' },
}

/** A Set is faster than the object: to read a property by a text that was just parsed, V8 first interns the text. */
const types: ReadonlySet<string> = new Set(Object.keys(catalogue))

export function isEventType(type: string): type is EventType {
  return types.has(type)
}

export function isTransactional(type: string): type is TransactionalType {
  return isEventType(type) && catalogue[type].transactional
}

/** Misspellings of types in FusionAuth's documentation, and the names that are sent. An event with a misspelt type is treated as the other. */
export const aliases: ReadonlyMap<string, EventType> = new Map([
  ['event.log.create', 'event-log.create'],
  ['user.two-factor.failed.attempt', 'user.two-factor.failed-attempt'],
])

/** The name of a type in the catalogue; a type that is not in it is returned unchanged. */
export function canonicalType(type: string): string {
  return aliases.get(type) ?? type
}
