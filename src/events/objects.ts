/**
 * The objects FusionAuth's events carry, by FusionAuth's own names. FusionAuth leaves out what has no value, so every field may be
 * missing, with one exception: the `id` of a stored user, group or entity. Where such an object is what the event is about, its id is
 * checked before a handler runs (the catalogue's `promised`).
 *
 * Instants are epoch milliseconds, ids are UUIDs unless said otherwise.
 */

/** Free-form data that applications keep on FusionAuth's objects. */
export type Data = Readonly<Record<string, unknown>>

/**
 * A user. `id` is always there where an event is about a stored user; every other field may be missing. Ids are UUIDs, `…Instant` and
 * `expiry` are epoch milliseconds.
 */
export interface User {
  readonly id: string
  readonly active?: boolean
  /** `yyyy-MM-dd` */
  readonly birthDate?: string
  readonly breachedPasswordLastCheckedInstant?: number
  readonly breachedPasswordStatus?: BreachedPasswordStatus
  readonly cleanSpeakId?: string
  readonly connectorId?: string
  readonly data?: Data
  readonly email?: string
  /** Removed from events about one user; whether `user.bulk.create` has it is not known. The same goes for factor, password and salt. */
  readonly encryptionScheme?: string
  readonly expiry?: number
  readonly factor?: number
  readonly firstName?: string
  readonly fullName?: string
  /** Since FusionAuth 1.59.0. */
  readonly identities?: readonly UserIdentity[]
  readonly imageUrl?: string
  readonly insertInstant?: number
  readonly lastLoginInstant?: number
  readonly lastName?: string
  readonly lastUpdateInstant?: number
  readonly legacyIdentifier?: string
  readonly memberships?: readonly GroupMember[]
  readonly middleName?: string
  readonly mobilePhone?: string
  readonly parentEmail?: string
  readonly password?: string
  readonly passwordChangeReason?: ChangePasswordReason
  readonly passwordChangeRequired?: boolean
  readonly passwordLastUpdateInstant?: number
  readonly phoneNumber?: string
  readonly preferredLanguages?: readonly string[]
  /** Empty in `user.registration.*` events: look at `registration` there. */
  readonly registrations?: readonly UserRegistration[]
  readonly salt?: string
  readonly tenantId?: string
  readonly timezone?: string
  readonly twoFactor?: UserTwoFactorConfiguration
  readonly uniqueUsername?: string
  readonly username?: string
  readonly usernameStatus?: ContentStatus
  readonly verified?: boolean
  readonly verifiedInstant?: number
}

/** What a moderator has decided about a user name. */
export type ContentStatus = 'ACTIVE' | 'PENDING' | 'REJECTED'
/** How a user's password was found among breached ones: with the user's address, with a sub-address of it, or alone. */
export type BreachedPasswordStatus =
  | 'None'
  | 'ExactMatch'
  | 'SubAddressMatch'
  | 'PasswordOnly'
  | 'CommonPassword'
/** Why FusionAuth asks a user for a new password at the next sign-in. */
export type ChangePasswordReason = 'Administrative' | 'Breached' | 'Expired' | 'Validation'

/** One of the names a user can sign in with. */
export interface UserIdentity {
  readonly displayValue?: string
  readonly insertInstant?: number
  readonly lastLoginInstant?: number
  readonly lastUpdateInstant?: number
  readonly moderationStatus?: ContentStatus
  readonly primary?: boolean
  readonly type?: LoginIdType
  readonly value?: string
  readonly verified?: boolean
  readonly verifiedInstant?: number
  readonly verifiedReason?: IdentityVerifiedReason
}

/** The kinds of names a user can sign in with. */
export type LoginIdType = 'email' | 'phoneNumber' | 'username'
/** Why an identity counts as verified, or does not. */
export type IdentityVerifiedReason =
  | 'Skipped'
  | 'Trusted'
  | 'Unverifiable'
  | 'Implicit'
  | 'Pending'
  | 'Completed'
  | 'Disabled'
  | 'Administrative'
  | 'Import'

/** A user's place in one application. */
export interface UserRegistration {
  readonly applicationId?: string
  /** A live credential. */
  readonly authenticationToken?: string
  readonly cleanSpeakId?: string
  readonly data?: Data
  readonly id?: string
  readonly insertInstant?: number
  readonly lastLoginInstant?: number
  readonly lastUpdateInstant?: number
  readonly preferredLanguages?: readonly string[]
  readonly roles?: readonly string[]
  readonly timezone?: string
  /** Tokens of identity providers, by provider: live credentials. */
  readonly tokens?: Readonly<Record<string, string>>
  readonly username?: string
  readonly usernameStatus?: ContentStatus
  readonly verified?: boolean
  readonly verifiedInstant?: number
}

/** The second factors of a user. The codes and secrets themselves are missing in events about one user. */
export interface UserTwoFactorConfiguration {
  readonly methods?: readonly TwoFactorMethod[]
  /** Empty in events about one user. */
  readonly recoveryCodes?: readonly string[]
}

/** One second factor of a user. */
export interface TwoFactorMethod {
  readonly authenticator?: AuthenticatorConfiguration
  readonly email?: string
  /** Not a UUID. */
  readonly id?: string
  readonly lastUsed?: boolean
  /** `authenticator`, `email`, `sms` and whatever a newer FusionAuth offers. */
  readonly method?: string
  readonly mobilePhone?: string
  readonly name?: string
  /** Removed from events about one user. */
  readonly secret?: string
}

/** How an authenticator app makes its codes. */
export interface AuthenticatorConfiguration {
  readonly algorithm?: 'HmacSHA1' | 'HmacSHA256' | 'HmacSHA512'
  readonly codeLength?: number
  /** Seconds. */
  readonly timeStep?: number
}

/** A group of users. `id` is always there where an event is about a group. */
export interface Group {
  readonly id: string
  readonly data?: Data
  readonly insertInstant?: number
  readonly lastUpdateInstant?: number
  readonly name?: string
  /** By application id. */
  readonly roles?: Readonly<Record<string, readonly ApplicationRole[]>>
  readonly tenantId?: string
}

/** A user's membership of a group. */
export interface GroupMember {
  readonly data?: Data
  readonly groupId?: string
  /** The membership's own id, not the user's. */
  readonly id?: string
  readonly insertInstant?: number
  readonly userId?: string
}

/** A role that an application gives to its users. */
export interface ApplicationRole {
  readonly description?: string
  readonly id?: string
  readonly insertInstant?: number
  readonly isDefault?: boolean
  readonly isSuperRole?: boolean
  readonly lastUpdateInstant?: number
  readonly name?: string
}

/** A thing, not a person, that holds permissions: a device, a company, an API. */
export interface Entity {
  readonly id: string
  readonly clientId?: string
  /** A live credential. */
  readonly clientSecret?: string
  readonly data?: Data
  readonly insertInstant?: number
  readonly lastUpdateInstant?: number
  readonly name?: string
  readonly parentId?: string
  readonly tenantId?: string
  readonly type?: EntityType
}

/** The type of an entity: what its permissions and its tokens are. */
export interface EntityType {
  readonly data?: Data
  readonly id?: string
  readonly insertInstant?: number
  readonly jwtConfiguration?: EntityJWTConfiguration
  readonly lastUpdateInstant?: number
  readonly name?: string
  readonly permissions?: readonly EntityTypePermission[]
}

/** How the access tokens of an entity type are signed, and how long they live. */
export interface EntityJWTConfiguration {
  readonly accessTokenKeyId?: string
  readonly accessTokenVerificationKeyIds?: readonly string[]
  readonly enabled?: boolean
  readonly timeToLiveInSeconds?: number
}

/** A permission that an entity type knows. */
export interface EntityTypePermission {
  readonly data?: Data
  readonly description?: string
  readonly id?: string
  readonly insertInstant?: number
  readonly isDefault?: boolean
  readonly lastUpdateInstant?: number
  readonly name?: string
}

/** A refresh token. Its `token` is a live credential; `startInstant` is the sign-in that it comes from, epoch ms. */
export interface RefreshToken {
  readonly applicationId?: string
  readonly data?: Data
  readonly id?: string
  readonly insertInstant?: number
  readonly metaData?: RefreshTokenMetaData
  readonly startInstant?: number
  readonly tenantId?: string
  /** A live credential. */
  readonly token?: string
  readonly userId?: string
}

/** What FusionAuth noted about the sign-in that a refresh token comes from. */
export interface RefreshTokenMetaData {
  readonly data?: Data
  readonly device?: DeviceInfo
  readonly resources?: readonly string[]
  readonly scopes?: readonly string[]
}

/** The device that a refresh token was given to. */
export interface DeviceInfo {
  readonly description?: string
  readonly lastAccessedAddress?: string
  readonly lastAccessedInstant?: number
  readonly name?: string
  readonly type?: string
}

/** The link between a user and an account at an identity provider. */
export interface IdentityProviderLink {
  readonly data?: Data
  readonly displayName?: string
  readonly identityProviderId?: string
  readonly identityProviderName?: string
  readonly identityProviderType?: IdentityProviderType
  /** The user's id at the identity provider. */
  readonly identityProviderUserId?: string
  readonly insertInstant?: number
  readonly lastLoginInstant?: number
  readonly tenantId?: string
  /** A live credential, of the identity provider. */
  readonly token?: string
  readonly userId?: string
}

/** The kinds of identity providers that FusionAuth 1.69 can link to. */
export type IdentityProviderType =
  | 'Apple'
  | 'EpicGames'
  | 'ExternalJWT'
  | 'Facebook'
  | 'Google'
  | 'HYPR'
  | 'LinkedIn'
  | 'Nintendo'
  | 'OpenIDConnect'
  | 'SAMLv2'
  | 'SAMLv2IdPInitiated'
  | 'SonyPSN'
  | 'Steam'
  | 'Twitch'
  | 'Twitter'
  | 'Xbox'

/** A login id and its kind. */
export interface IdentityInfo {
  readonly type?: LoginIdType
  readonly value?: string
}

/** Where the request that caused an event came from. It describes the API's caller unless the caller passed `eventInfo`. */
export interface EventInfo {
  readonly data?: Data
  readonly deviceDescription?: string
  readonly deviceName?: string
  readonly deviceType?: string
  readonly ipAddress?: string
  /** Needs a license with threat detection. */
  readonly location?: Location
  readonly os?: string
  readonly userAgent?: string
}

/** Where an IP address is, by FusionAuth's database. Latitude and longitude are degrees. */
export interface Location {
  readonly city?: string
  readonly country?: string
  readonly displayString?: string
  readonly latitude?: number
  readonly longitude?: number
  readonly region?: string
  readonly zipcode?: string
}

/** An entry of FusionAuth's audit log: what an administrator or the API changed. */
export interface AuditLog {
  readonly data?: Data
  /** A number, unlike other ids. */
  readonly id?: number
  readonly insertInstant?: number
  /** The login id of who did it. */
  readonly insertUser?: string
  readonly message?: string
  /** The object after the change, in FusionAuth's form: a user, an application, anything. */
  readonly newValue?: unknown
  readonly oldValue?: unknown
  readonly reason?: string
  /** Since FusionAuth 1.65.0. */
  readonly tenantId?: string
}

/** An entry of FusionAuth's event log: a diagnostic message, such as a webhook that failed. */
export interface EventLog {
  /** A number, unlike other ids. */
  readonly id?: number
  readonly insertInstant?: number
  readonly message?: string
  readonly type?: 'Information' | 'Debug' | 'Error'
}

/** The message a user action sent, as it was rendered. */
export interface Email {
  readonly attachments?: readonly Attachment[]
  readonly bcc?: readonly EmailAddress[]
  readonly cc?: readonly EmailAddress[]
  readonly from?: EmailAddress
  readonly html?: string
  readonly replyTo?: EmailAddress
  readonly subject?: string
  readonly text?: string
  readonly to?: readonly EmailAddress[]
}

/** An address of an email, with the name that is shown beside it. */
export interface EmailAddress {
  readonly address?: string
  readonly display?: string
}

/** An attachment of an email. */
export interface Attachment {
  /** Bytes, each a number. */
  readonly attachment?: readonly number[]
  readonly mime?: string
  readonly name?: string
}

/** Why a sign-in failed. */
export interface LoginFailedReason {
  readonly code?: 'credentials' | 'lambdaValidation'
  /** With `lambdaValidation` only, as is `lambdaResult`. */
  readonly lambdaId?: string
  readonly lambdaResult?: FusionAuthErrors
}

/** Errors in the form FusionAuth's API answers with. */
export interface FusionAuthErrors {
  readonly fieldErrors?: Readonly<Record<string, readonly FusionAuthError[]>>
  readonly generalErrors?: readonly FusionAuthError[]
}

/** One error of FusionAuth: its code and its words. */
export interface FusionAuthError {
  readonly code?: string
  readonly data?: Data
  readonly message?: string
}

/** Why a sign-in looks suspicious. FusionAuth adds to this list (last in 1.68.0), so a `switch` over it needs a default. */
export type AuthenticationThreat =
  | 'BotDetected'
  | 'BlocklistedIp'
  | 'DormantAccount'
  | 'DormantPassword'
  | 'ImpossibleTravel'
  | 'RecentIdentityChange'
  | 'RecentPasswordChange'
  | 'SuspiciousUserAgent'
  | 'UnrecognizedDevice'
  | 'UntrustedDevice'
  | (string & {})
