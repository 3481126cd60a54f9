import { randomBytes } from 'node:crypto'
import type { Code, User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { missing } from '../answer.ts'

type Use = Pick<Code, 'purpose' | 'applicationId' | 'loginIdType'>

/** Makes a one-time code for a user. The emulator sends no mail: codes come back in the API's answers. */
export function newCode(draft: Draft, user: User, use: Use): string {
  const id = randomBytes(32).toString('base64url')
  draft.rows.codes.put({ ...use, id, userId: user.id, insertInstant: draft.now })
  return id
}

/** Takes a code out of use; 404 when there is none of this purpose. */
export function redeem(draft: Draft, id: unknown, purpose: Code['purpose']): Code {
  const code = typeof id === 'string' ? draft.rows.codes.get(id) : undefined
  if (code?.purpose !== purpose) throw missing()
  draft.rows.codes.remove(code.id)
  return code
}
