import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { fields, text, whole } from '../../fields.ts'
import type { Application, User } from '../../state/tables.ts'
import type { Call } from '../route.ts'
import { registrationFor } from './registration-for.ts'

/** An access token, signed with a secret of this instance; FusionAuth would use the application's key. */
export function accessToken(
  call: Call,
  user: User,
  applicationId: string | undefined,
  now: number,
): { readonly token: string; readonly tokenExpirationInstant: number } {
  const seconds = timeToLive(
    applicationId === undefined ? undefined : call.state.rows.applications.get(applicationId),
  )
  const claims = {
    aud: applicationId,
    exp: Math.floor(now / 1000) + seconds,
    iat: Math.floor(now / 1000),
    iss: 'fusewire-emulator',
    sub: user.id,
    jti: randomUUID(),
    authenticationType: 'PASSWORD',
    applicationId,
    email: user.email,
    roles: registrationFor(user, applicationId)?.roles,
    tid: user.tenantId,
  }
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return { token: `${signed}.${signature(call, signed)}`, tokenExpirationInstant: claims.exp * 1000 }
}

const signature = (call: Call, signed: string): string =>
  createHmac('sha256', call.state.tokenSecret).update(signed).digest('base64url')

/** The user id of an access token that this instance signed and that has not expired, or undefined. */
export function subjectOf(call: Call, bearer: string | undefined): string | undefined {
  const token = bearer?.replace(/^Bearer /, '') ?? ''
  const signed = token.slice(0, token.lastIndexOf('.'))
  const [wanted, given] = [signature(call, signed), token.slice(signed.length + 1)].map((part) =>
    Buffer.from(part),
  )
  if (wanted === undefined || given === undefined || wanted.length !== given.length) return undefined
  if (!timingSafeEqual(wanted, given)) return undefined
  const claims = fields(JSON.parse(Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString()))
  const { sub, exp } = claims
  return typeof exp === 'number' && exp * 1000 > call.state.events.now() ? text(sub) : undefined
}

/** How long an application's access tokens live, in seconds. */
export function timeToLive(application: Application | undefined): number {
  return whole(application?.jwtConfiguration?.['timeToLiveInSeconds']) ?? 3600
}
