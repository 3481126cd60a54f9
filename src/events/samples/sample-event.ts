import type { EventHeader, EventMap, EventType } from '../types.ts'
import type { Filled } from './filled.ts'
import { objectHeader, instanceHeader, tenantHeader } from './object-header.ts'
import {
  ada,
  applicationId,
  auditLog,
  bob,
  email,
  entity,
  eventLog,
  group,
  identityProviderLink,
  info,
  loginFailedReason,
  member,
  method,
  refreshToken,
  registration,
} from './objects.ts'

/**
 * An event of a type with every field FusionAuth can give it, fresh at each call. The people are Ada and Bob; `id` is the same for a
 * type at each call and `createInstant` is in January 2026, so whoever sends one sets them first.
 */
export function sampleEvent<T extends EventType>(type: T): EventMap[T] {
  return structuredClone(samples[type](type))
}

const ofUser = <T extends EventType>(type: T) => ({ ...objectHeader(type, ada), user: ada })

const ofUpdate = <T extends EventType>(type: T) => ({
  ...ofUser(type),
  original: { ...ada, lastName: 'Byron' },
})

const ofGroup = <T extends EventType>(type: T) => ({ ...objectHeader(type, group), group })

const ofGroupUpdate = <T extends EventType>(type: T) => ({
  ...ofGroup(type),
  original: { ...group, name: 'Mathematicians' },
})

const ofMembers = <T extends EventType>(type: T) => ({ ...ofGroup(type), members: [member] })

const ofEntity = <T extends EventType>(type: T) => ({ ...objectHeader(type, entity), entity })

const ofEntityUpdate = <T extends EventType>(type: T) => ({
  ...ofEntity(type),
  original: { ...entity, name: 'Difference Engine' },
})

const ofRegistration = <T extends EventType>(type: T) => ({
  ...ofUser(type),
  user: { ...ada, registrations: [] },
  applicationId,
  registration,
})

const ofRegistrationUpdate = <T extends EventType>(type: T) => ({
  ...ofRegistration(type),
  original: { ...registration, roles: ['reader'] },
})

const ofLink = <T extends EventType>(type: T) => ({ ...ofUser(type), identityProviderLink })

const ofDuplicate = <T extends EventType>(type: T) => ({
  ...objectHeader(type, bob),
  user: { ...bob, email: ada.email },
  duplicateEmail: ada.email,
  duplicateIdentities: [{ type: 'email' as const, value: ada.email }],
  duplicatePhoneNumber: ada.phoneNumber,
  duplicateUsername: ada.username,
  existing: ada,
})

const ofLogin = <T extends EventType>(type: T) => ({
  ...ofUser(type),
  applicationId,
  authenticationType: 'PASSWORD',
  connectorId: ada.connectorId,
  identityProviderId: identityProviderLink.identityProviderId,
  identityProviderName: identityProviderLink.identityProviderName,
  ipAddress: info.ipAddress,
})

const ofChallenge = <T extends EventType>(type: T) => ({
  ...ofUser(type),
  applicationId,
  clientRisk: 'MEDIUM' as const,
})

const ofSecondFactor = <T extends EventType>(type: T) => ({
  ...ofChallenge(type),
  messageType: 'SMS' as const,
  method: 'sms' as const,
})

const ofMethod = <T extends EventType>(type: T) => ({ ...ofUser(type), method })

/** Only the header may leave something out: an event of the whole instance has no tenant. */
type Sample<T extends EventType> = EventHeader<T> & Filled<Omit<EventMap[T], keyof EventHeader<T>>>

const samples: { readonly [T in EventType]: (type: T) => EventMap[T] } = {
  'audit-log.create': (type) => ({ ...tenantHeader(type), auditLog }),
  'event-log.create': (type) => ({ ...instanceHeader(type), info, eventLog }),
  'kickstart.success': (type) => ({
    ...instanceHeader(type),
    instanceId: '14500000-0000-4000-8000-000000000001',
  }),
  test: (type) => ({ ...instanceHeader(type), message: 'FusionAuth can write to this topic.' }),
  'jwt.public-key.update': (type) => ({ ...tenantHeader(type), applicationIds: [applicationId] }),
  'jwt.refresh': (type) => ({
    ...objectHeader(type, ada),
    applicationId,
    original: 'sample-expired-access-token',
    refreshToken: 'sample-refresh-token',
    token: 'sample-access-token',
    userId: ada.id,
  }),
  'jwt.refresh-token.revoke': (type) => ({
    ...ofUser(type),
    applicationId,
    applicationTimeToLiveInSeconds: { [applicationId]: 600 },
    refreshToken,
    userId: ada.id,
  }),
  'group.create': ofGroup,
  'group.create.complete': ofGroup,
  'group.delete': ofGroup,
  'group.delete.complete': ofGroup,
  'group.update': ofGroupUpdate,
  'group.update.complete': ofGroupUpdate,
  'group.member.add': ofMembers,
  'group.member.add.complete': ofMembers,
  'group.member.remove': ofMembers,
  'group.member.remove.complete': ofMembers,
  'group.member.update': ofMembers,
  'group.member.update.complete': ofMembers,
  'user.create': ofUser,
  'user.create.complete': ofUser,
  'user.update': ofUpdate,
  'user.update.complete': ofUpdate,
  'user.deactivate': (type) => ({ ...ofUser(type), user: { ...ada, active: false } }),
  'user.reactivate': ofUser,
  'user.delete': ofUser,
  'user.delete.complete': ofUser,
  'user.bulk.create': (type) => ({ ...tenantHeader(type), users: [ada, bob] }),
  'user.action': (type) => ({
    ...objectHeader(type, ada),
    action: 'mute',
    actioneeUserId: ada.id,
    actionerUserId: bob.id,
    actionId: 'ac710000-0000-4000-8000-000000000001',
    applicationIds: [applicationId],
    comment: 'Third warning',
    email,
    emailedUser: true,
    expiry: Date.UTC(2026, 0, 7, 9, 30),
    localizedAction: 'Mute',
    localizedDuration: '2 days',
    localizedOption: 'In public',
    localizedReason: 'House rules',
    notifyUser: true,
    option: 'public',
    phase: 'start',
    reason: 'rules',
    reasonCode: 'R1',
  }),
  'user.registration.create': ofRegistration,
  'user.registration.create.complete': ofRegistration,
  'user.registration.update': ofRegistrationUpdate,
  'user.registration.update.complete': ofRegistrationUpdate,
  'user.registration.delete': ofRegistration,
  'user.registration.delete.complete': ofRegistration,
  'user.registration.verified': ofRegistration,
  'user.email.update': (type) => ({ ...ofUser(type), previousEmail: 'ada.byron@example.com' }),
  'user.email.verified': ofUser,
  'user.identity.verified': (type) => ({ ...ofUser(type), loginId: ada.email, loginIdType: 'email' }),
  'user.identity.update': (type) => ({
    ...ofUser(type),
    loginIdType: 'email',
    newLoginId: ada.email,
    previousLoginId: 'ada.byron@example.com',
  }),
  'user.identity-provider.link': ofLink,
  'user.identity-provider.unlink': ofLink,
  'user.loginId.duplicate.create': ofDuplicate,
  'user.loginId.duplicate.update': ofDuplicate,
  'user.login.success': ofLogin,
  'user.login.failed': (type) => ({
    ...ofUser(type),
    applicationId,
    authenticationType: 'PASSWORD',
    ipAddress: info.ipAddress,
    reason: loginFailedReason,
  }),
  'user.login.new-device': ofLogin,
  'user.login.suspicious': (type) => ({
    ...ofLogin(type),
    threatsDetected: ['ImpossibleTravel', 'UnrecognizedDevice'],
  }),
  'user.two-factor.challenge': ofChallenge,
  'user.two-factor.success': ofSecondFactor,
  'user.two-factor.failed-attempt': ofSecondFactor,
  'user.two-factor.method.add': ofMethod,
  'user.two-factor.method.remove': ofMethod,
  'user.password.breach': ofUser,
  'user.password.reset.start': ofUser,
  'user.password.reset.send': ofUser,
  'user.password.reset.success': ofUser,
  'user.password.update': ofUser,
  'entity.create': ofEntity,
  'entity.create.complete': ofEntity,
  'entity.update': ofEntityUpdate,
  'entity.update.complete': ofEntityUpdate,
  'entity.delete': ofEntity,
  'entity.delete.complete': ofEntity,
} satisfies { readonly [T in EventType]: (type: T) => Sample<T> }
