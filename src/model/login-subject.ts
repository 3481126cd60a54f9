import { canonicalId } from './canonical-id.ts'

/** The subject under which an event is found that names a person by a login id (an email address, a username) and by no user id. */
export function loginSubject(loginId: string): string {
  return canonicalId(`login ${loginId.trim().toLowerCase()}`)
}
