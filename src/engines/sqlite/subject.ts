import { hash } from 'node:crypto'

/**
 * How the index names a person: half of a SHA-256, 1 us. SQLite leaves copies of moved index rows in the unused space of pages, where
 * `secure_delete` does not reach, so an id must not stand in one.
 */
export function subjectHash(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, 22)
}
