import { ada, applicationId } from './objects.ts'
import { objectHeader, tenantHeader } from './object-header.ts'
import { sampleEvent } from './sample-event.ts'
import type { EventOf } from '../types.ts'

const applicationTimeToLiveInSeconds = { [applicationId]: 600 }

/** Events whose shape depends on their cause: further samples of a type, beside `sampleEvent`. */
export const sampleVariants: {
  /** Every refresh token of a user was revoked: no application, no token. */
  readonly revokedForUser: EventOf<'jwt.refresh-token.revoke'>
  /** Every refresh token of an application was revoked: no user. */
  readonly revokedForApplication: EventOf<'jwt.refresh-token.revoke'>
  /** What the test button of the Kafka integration sends: an event that is not inside `{"event": …}`. */
  readonly kafkaTest: EventOf<'test'>
} = {
  revokedForUser: {
    ...objectHeader('jwt.refresh-token.revoke', ada),
    applicationTimeToLiveInSeconds,
    user: ada,
    userId: ada.id,
  },
  revokedForApplication: {
    ...tenantHeader('jwt.refresh-token.revoke'),
    applicationId,
    applicationTimeToLiveInSeconds,
  },
  kafkaTest: sampleEvent('test'),
}
