import type {
  AuditLog,
  Email,
  Entity,
  EventInfo,
  EventLog,
  Group,
  GroupMember,
  IdentityProviderLink,
  LoginFailedReason,
  RefreshToken,
  TwoFactorMethod,
  User,
  UserRegistration,
} from '../objects.ts'
import type { Filled } from './filled.ts'

// Ids say what they belong to, as far as hexadecimal digits can.
export const tenantId = '7e4a0000-0000-4000-8000-000000000001'
export const applicationId = 'a9900000-0000-4000-8000-000000000001'
const adaId = 'ada00000-0000-4000-8000-000000000001'
const bobId = 'b0b00000-0000-4000-8000-000000000002'
const engineersId = '96000000-0000-4000-8000-000000000001'
const instant = Date.UTC(2026, 0, 5, 9, 30)

export const info: Filled<EventInfo> = {
  data: {},
  deviceDescription: 'Work laptop',
  deviceName: 'Linux Firefox',
  deviceType: 'BROWSER',
  ipAddress: '203.0.113.7',
  location: {
    city: 'London',
    country: 'GB',
    displayString: 'London, GB',
    latitude: 51.5072,
    longitude: -0.1276,
    region: 'ENG',
    zipcode: 'SW1Y 4JU',
  },
  os: 'Linux',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
}

export const registration: Filled<UserRegistration> = {
  applicationId,
  authenticationToken: 'sample-authentication-token',
  cleanSpeakId: 'c5000000-0000-4000-8000-000000000001',
  data: { theme: 'dark' },
  id: '4e600000-0000-4000-8000-000000000001',
  insertInstant: instant,
  lastLoginInstant: instant,
  lastUpdateInstant: instant,
  preferredLanguages: ['en'],
  roles: ['author'],
  timezone: 'Europe/London',
  tokens: { Google: 'sample-google-token' },
  username: 'countess',
  usernameStatus: 'ACTIVE',
  verified: true,
  verifiedInstant: instant,
}

export const member: Filled<GroupMember> = {
  data: { since: 'the first program' },
  groupId: engineersId,
  id: '3e3be400-0000-4000-8000-000000000001',
  insertInstant: instant,
  userId: adaId,
}

export const method: Filled<TwoFactorMethod> = {
  authenticator: { algorithm: 'HmacSHA1', codeLength: 6, timeStep: 30 },
  email: 'codes@example.com',
  id: 'K7QD',
  lastUsed: true,
  method: 'authenticator',
  mobilePhone: '+442079460002',
  name: 'Phone',
}

export const ada: Filled<User> = {
  active: true,
  birthDate: '1815-12-10',
  breachedPasswordLastCheckedInstant: instant,
  breachedPasswordStatus: 'None',
  cleanSpeakId: 'c5000000-0000-4000-8000-000000000002',
  connectorId: 'c0000000-0000-4000-8000-000000000001',
  data: { favouriteNumber: 7 },
  email: 'ada@example.com',
  expiry: Date.UTC(2036, 0, 5),
  firstName: 'Ada',
  fullName: 'Ada Lovelace',
  id: adaId,
  identities: [
    {
      displayValue: 'Ada@example.com',
      insertInstant: instant,
      lastLoginInstant: instant,
      lastUpdateInstant: instant,
      moderationStatus: 'ACTIVE',
      primary: true,
      type: 'email',
      value: 'ada@example.com',
      verified: true,
      verifiedInstant: instant,
      verifiedReason: 'Completed',
    },
  ],
  imageUrl: 'https://example.com/ada.png',
  insertInstant: instant,
  lastLoginInstant: instant,
  lastName: 'Lovelace',
  lastUpdateInstant: instant,
  legacyIdentifier: 'countess-1',
  memberships: [member],
  middleName: 'King',
  mobilePhone: '+442079460002',
  parentEmail: 'annabella@example.com',
  passwordChangeReason: 'Validation',
  passwordChangeRequired: false,
  passwordLastUpdateInstant: instant,
  phoneNumber: '+442079460001',
  preferredLanguages: ['en', 'fr'],
  registrations: [registration],
  tenantId,
  timezone: 'Europe/London',
  twoFactor: { methods: [method], recoveryCodes: [] },
  uniqueUsername: 'ada',
  username: 'ada',
  usernameStatus: 'ACTIVE',
  verified: true,
  verifiedInstant: instant,
}

export const bob: Filled<User> = {
  ...ada,
  data: {},
  email: 'bob@example.com',
  firstName: 'Bob',
  fullName: 'Bob Babbage',
  id: bobId,
  identities: [],
  lastName: 'Babbage',
  memberships: [],
  registrations: [{ ...registration, id: '4e600000-0000-4000-8000-000000000002', username: 'bobby' }],
  uniqueUsername: 'bob',
  username: 'bob',
}

export const group: Filled<Group> = {
  data: {},
  id: engineersId,
  insertInstant: instant,
  lastUpdateInstant: instant,
  name: 'Engineers',
  roles: {
    [applicationId]: [
      {
        description: 'May write notes',
        id: '401e0000-0000-4000-8000-000000000001',
        insertInstant: instant,
        isDefault: false,
        isSuperRole: false,
        lastUpdateInstant: instant,
        name: 'author',
      },
    ],
  },
  tenantId,
}

export const entity: Filled<Entity> = {
  clientId: 'e4700000-0000-4000-8000-000000000001',
  clientSecret: 'sample-client-secret',
  data: {},
  id: 'e4700000-0000-4000-8000-000000000001',
  insertInstant: instant,
  lastUpdateInstant: instant,
  name: 'Analytical Engine',
  parentId: 'e4700000-0000-4000-8000-000000000002',
  tenantId,
  type: {
    data: {},
    id: 'e4700000-0000-4000-8000-00000000000a',
    insertInstant: instant,
    jwtConfiguration: {
      accessTokenKeyId: 'cee00000-0000-4000-8000-000000000001',
      accessTokenVerificationKeyIds: [],
      enabled: true,
      timeToLiveInSeconds: 60,
    },
    lastUpdateInstant: instant,
    name: 'Engine',
    permissions: [
      {
        data: {},
        description: 'May turn the crank',
        id: 'e4700000-0000-4000-8000-00000000000b',
        insertInstant: instant,
        isDefault: true,
        lastUpdateInstant: instant,
        name: 'turn',
      },
    ],
  },
}

export const refreshToken: Filled<RefreshToken> = {
  applicationId,
  data: {},
  id: '4ef4e500-0000-4000-8000-000000000001',
  insertInstant: instant,
  metaData: {
    data: {},
    device: {
      description: 'Work laptop',
      lastAccessedAddress: '203.0.113.7',
      lastAccessedInstant: instant,
      name: 'Linux Firefox',
      type: 'BROWSER',
    },
    resources: [],
    scopes: ['openid', 'offline_access'],
  },
  startInstant: instant,
  tenantId,
  token: 'sample-refresh-token',
  userId: adaId,
}

export const identityProviderLink: Filled<IdentityProviderLink> = {
  data: {},
  displayName: 'Ada Lovelace',
  identityProviderId: '1d900000-0000-4000-8000-000000000001',
  identityProviderName: 'Google',
  identityProviderType: 'Google',
  identityProviderUserId: '100000000000000000001',
  insertInstant: instant,
  lastLoginInstant: instant,
  tenantId,
  token: 'sample-google-token',
  userId: adaId,
}

export const auditLog: Filled<AuditLog> = {
  data: {},
  id: 1815,
  insertInstant: instant,
  insertUser: 'bob@example.com',
  message: `Updated the user with Id [${adaId}] and loginId [ada@example.com]`,
  newValue: ada,
  oldValue: { ...ada, lastName: 'Byron' },
  reason: 'FusionAuth User Interface',
  tenantId,
}

export const eventLog: Filled<EventLog> = {
  id: 1843,
  insertInstant: instant,
  message: 'The webhook at [https://app.example.com/webhook] answered with status [503].',
  type: 'Error',
}

export const email: Filled<Email> = {
  attachments: [{ attachment: [72, 105], mime: 'text/plain', name: 'greeting.txt' }],
  bcc: [],
  cc: [{ address: 'moderators@example.com', display: 'Moderators' }],
  from: { address: 'moderator@example.com', display: 'Moderator' },
  html: '<p>Please keep to the house rules.</p>',
  replyTo: { address: 'no-reply@example.com', display: 'No reply' },
  subject: 'You are muted for two days',
  text: 'Please keep to the house rules.',
  to: [{ address: 'ada@example.com', display: 'Ada Lovelace' }],
}

export const loginFailedReason: Filled<LoginFailedReason> = {
  code: 'lambdaValidation',
  lambdaId: '1a3bda00-0000-4000-8000-000000000001',
  lambdaResult: {
    fieldErrors: {},
    generalErrors: [{ code: '[closed]', data: {}, message: 'The notes are closed at night.' }],
  },
}
