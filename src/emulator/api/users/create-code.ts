import { randomBytes } from 'node:crypto'
import type { Code, User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFoundError } from '../api-response.ts'

type Use = Pick<Code, 'purpose' | 'applicationId' | 'loginIdType'>

/** Creates a one-time code for a user. The emulator sends no mail: codes are in the responses of the API. */
export function createCode(tx: Transaction, user: User, use: Use): string {
  const id = randomBytes(32).toString('base64url')
  tx.rows.codes.put({ ...use, id, userId: user.id, insertInstant: tx.now })
  return id
}

/** Uses up a code; 404 when there is none of this purpose. */
export function redeemCode(tx: Transaction, id: unknown, purpose: Code['purpose']): Code {
  const code = typeof id === 'string' ? tx.rows.codes.get(id) : undefined
  if (code?.purpose !== purpose) throw notFoundError()
  tx.rows.codes.remove(code.id)
  return code
}
