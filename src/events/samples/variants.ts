import type { EventOf } from '../types.ts'
import { about, tenant } from './header.ts'
import { ada, applicationId } from './objects.ts'
import { sampleEvent } from './sample-event.ts'

const applicationTimeToLiveInSeconds = { [applicationId]: 600 }

/** Every refresh token of a user was revoked: no application, no token. */
export const revokedForUser: EventOf<'jwt.refresh-token.revoke'> = {
  ...about('jwt.refresh-token.revoke', ada),
  applicationTimeToLiveInSeconds,
  user: ada,
  userId: ada.id,
}

/** Every refresh token of an application was revoked: no user. */
export const revokedForApplication: EventOf<'jwt.refresh-token.revoke'> = {
  ...tenant('jwt.refresh-token.revoke'),
  applicationId,
  applicationTimeToLiveInSeconds,
}

/** What the test button of the Kafka integration sends, as it is: not inside `{"event": …}`. */
export const kafkaTest: EventOf<'test'> = sampleEvent('test')
