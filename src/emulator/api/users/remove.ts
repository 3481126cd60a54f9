import type { User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { aboutUser } from './shown.ts'

/** Deletes a user and everything that is only there for it. */
export function deleteUser(draft: Draft, user: User): void {
  const { rows } = draft
  draft.fire(aboutUser('user.delete', user, rows))
  for (const { id } of rows.members.by('user', user.id)) rows.members.remove(id)
  for (const { id } of rows.refreshTokens.by('user', user.id)) rows.refreshTokens.remove(id)
  for (const { id } of rows.links.by('user', user.id)) rows.links.remove(id)
  for (const { id } of rows.codes.by('user', user.id)) rows.codes.remove(id)
  for (const { id } of rows.actions.by('user', user.id)) rows.actions.remove(id)
  rows.passwords.remove(user.id)
  rows.users.remove(user.id)
}

export function deactivateUser(draft: Draft, before: User): void {
  const user = { ...before, active: false, lastUpdateInstant: draft.now }
  draft.rows.users.put(user)
  draft.fire(aboutUser('user.deactivate', user, draft.rows))
}
