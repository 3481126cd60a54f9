import type { Fields } from '../fields.ts'
import type { Level } from '../system/level.ts'

/**
 * The emulator's tables, by FusionAuth's names. The types name the fields that the emulator reads; all others are stored as they were sent and
 * returned.
 */
export interface Tables {
  readonly tenants: Tenant
  readonly applications: Application
  readonly users: User
  readonly passwords: Password
  readonly groups: Group
  readonly members: Member
  readonly entityTypes: EntityType
  readonly entities: Entity
  readonly userActions: UserAction
  readonly userActionReasons: UserActionReason
  readonly actions: Action
  readonly refreshTokens: RefreshToken
  readonly identityProviders: IdentityProvider
  readonly links: Link
  readonly codes: Code
  readonly auditLogs: AuditLog
  readonly webhooks: Webhook
  readonly keys: Key
  readonly apiKeys: ApiKey
  readonly system: System
}

export interface Row extends Fields {
  readonly id: string
  readonly insertInstant?: number | undefined
  readonly lastUpdateInstant?: number | undefined
}

export interface Named extends Row {
  readonly name: string
}

export interface Tenant extends Named {
  readonly eventConfiguration: { readonly events: Readonly<Record<string, EventSetting>> }
  readonly jwtConfiguration?: Fields | undefined
}

export interface EventSetting {
  readonly enabled: boolean
  readonly transactionType: Level
}

export interface Application extends Named {
  readonly tenantId: string
  readonly active: boolean
  readonly roles: readonly Role[]
  readonly jwtConfiguration?: Fields | undefined
}

export interface Role extends Named {
  readonly isDefault?: boolean | undefined
}

export interface User extends Row {
  readonly tenantId: string
  readonly active: boolean
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly phoneNumber?: string | undefined
  readonly verified: boolean
  readonly identities: readonly Identity[]
  readonly registrations: readonly Registration[]
  readonly twoFactor: { readonly methods: readonly Method[]; readonly recoveryCodes: readonly string[] }
}

export interface Identity extends Fields {
  readonly type: LoginIdType
  readonly value: string
  readonly verified: boolean
}

export type LoginIdType = 'email' | 'phoneNumber' | 'username'

export interface Registration extends Fields {
  readonly id: string
  readonly applicationId: string
  readonly roles: readonly string[]
  readonly verified: boolean
}

export interface Method extends Fields {
  readonly id: string
  readonly method: string
  readonly secret?: string | undefined
}

/** By user id, separate from the user, so that no password can get into an event or a response. */
export interface Password extends Row {
  readonly salt: string
  readonly hash: string
}

export interface Group extends Named {
  readonly tenantId: string
  readonly roles: Readonly<Record<string, readonly Role[]>>
}

export interface Member extends Row {
  readonly groupId: string
  readonly userId: string
}

export interface EntityType extends Named {
  readonly permissions: readonly Named[]
}

export interface Entity extends Named {
  readonly tenantId: string
  readonly type: { readonly id: string }
  readonly clientId: string
  readonly clientSecret: string
}

export interface UserAction extends Named {
  readonly active: boolean
  readonly temporal: boolean
  readonly preventLogin: boolean
  readonly sendEndEvent: boolean
  readonly transactionType?: Level | undefined
}

export interface UserActionReason extends Row {
  readonly text: string
  readonly code: string
}

/** An action taken on a user. */
export interface Action extends Named {
  readonly userActionId: string
  readonly actioneeUserId: string
  readonly actionerUserId?: string | undefined
  readonly applicationIds: readonly string[]
  /** Epoch ms, or `never`. */
  readonly expiry?: number | object | undefined
  readonly endEventSent?: boolean | undefined
}

export interface RefreshToken extends Row {
  readonly token: string
  readonly userId: string
  readonly tenantId: string
  readonly applicationId?: string | undefined
  readonly startInstant: number
}

export interface IdentityProvider extends Named {
  readonly type: string
}

export interface Link extends Row {
  readonly identityProviderId: string
  readonly identityProviderUserId: string
  readonly userId: string
  readonly tenantId: string
}

/** A one-time code that was given to a user. Its id is the code. */
export interface Code extends Row {
  readonly purpose: 'change password' | 'verify' | 'verify registration' | 'two-factor'
  readonly userId: string
  readonly applicationId?: string | undefined
  readonly loginIdType?: LoginIdType | undefined
}

export interface AuditLog extends Row {
  readonly log: Fields & { readonly id: number; readonly message: string; readonly insertInstant: number }
}

export interface Webhook extends Row {
  readonly url: string
  readonly connectTimeout: number
  readonly readTimeout: number
  readonly eventsEnabled: Readonly<Record<string, boolean>>
  readonly global: boolean
  readonly tenantIds: readonly string[]
  /** Only before FusionAuth 1.37. */
  readonly applicationIds?: readonly string[] | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly description?: string | undefined
  readonly httpAuthenticationUsername?: string | undefined
  readonly httpAuthenticationPassword?: string | undefined
  readonly signatureConfiguration: { readonly enabled: boolean; readonly signingKeyId?: string | undefined }
  readonly sslCertificate?: string | undefined
  readonly sslCertificateKeyId?: string | undefined
}

export interface Key extends Named {
  readonly kid: string
  readonly type: 'EC' | 'RSA' | 'HMAC' | 'OKP'
  readonly algorithm?: string | undefined
  readonly secret?: string | undefined
  readonly privateKey?: string | undefined
  readonly publicKey?: string | undefined
  readonly certificate?: string | undefined
}

export interface ApiKey extends Row {
  readonly key: string
  readonly tenantId?: string | undefined
  /** The permitted methods by path; absent or empty: all calls. */
  readonly permissions?: { readonly endpoints?: Readonly<Record<string, readonly string[]>> } | undefined
}

export interface System extends Row {
  readonly webhookEventLogConfiguration: {
    readonly enabled: boolean
    readonly delete: { readonly enabled: boolean; readonly numberOfDaysToRetain: number }
  }
}
