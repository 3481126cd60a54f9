import type { User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { userEvent } from './user-event.ts'

/** Deletes a user and all rows that belong to it. */
export function deleteUser(tx: Transaction, user: User): void {
  const { rows } = tx
  tx.fire(userEvent('user.delete', user, rows))
  for (const { id } of rows.members.by('user', user.id)) rows.members.remove(id)
  for (const { id } of rows.refreshTokens.by('user', user.id)) rows.refreshTokens.remove(id)
  for (const { id } of rows.links.by('user', user.id)) rows.links.remove(id)
  for (const { id } of rows.codes.by('user', user.id)) rows.codes.remove(id)
  for (const { id } of rows.actions.by('user', user.id)) rows.actions.remove(id)
  rows.passwords.remove(user.id)
  rows.users.remove(user.id)
}

export function deactivateUser(tx: Transaction, before: User): void {
  const user = { ...before, active: false, lastUpdateInstant: tx.now }
  tx.rows.users.put(user)
  tx.fire(userEvent('user.deactivate', user, tx.rows))
}
