import { hash } from 'node:crypto'

/**
 * The index of people holds this hash of an id: half of a SHA-256, 1 us. It must not hold the id itself, because SQLite leaves copies of moved
 * index rows in the unused space of pages, which `secure_delete` does not overwrite.
 */
export function subjectHash(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, 22)
}
