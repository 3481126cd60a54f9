import { createHmac } from 'node:crypto'
import type { Person } from '../../../model/person.ts'
import type { Arrival } from '../../../model/arrival.ts'
import { query, type SqliteSql } from '../sql.ts'

/** The people who were erased. Their events are kept without a body if they are older than the erasure. */
export interface ErasedPeople {
  /** Whether the arrival names an erased person and is not newer than the erasure. */
  has(arrival: Arrival): boolean
  /** In the caller's transaction. */
  remember(person: Person, now: number): void
  /** In the caller's transaction. Remembers the person, and a note about the erasure. */
  note(person: Person, note: Uint8Array, now: number): void
  findNote(person: Person): Uint8Array | undefined
  forgetNote(person: Person): void
  /** After a commit of another process, which may have erased somebody. */
  refresh(): void
}

/** Index: primary key (person). */
export function createErasedPeople(db: SqliteSql): ErasedPeople {
  const findKey = query<{ key: Uint8Array }>(db, 'select key from fw_erasure_key')
  const findAny = query<unknown>(db, 'select 1 from fw_erased limit 1')
  const find = query<{ at: number }>(db, 'select at from fw_erased where person = ?')
  const insert = db.prepare(`
    insert into fw_erased (person, at) values (?, ?)
    on conflict (person) do update set at = excluded.at
  `)
  const notes = createErasureNotes(db)
  let key: Uint8Array | undefined
  let isAny = findAny.get() !== undefined

  /** A keyed hash instead of the id, so that the table does not tell who was erased. */
  function hashOf(subject: string, tenantId: string | undefined): Uint8Array {
    key ??= findKey.get()?.key
    if (key === undefined) throw new Error('fw_erasure_key is empty')
    return createHmac('sha256', key)
      .update(`${subject}/${tenantId ?? '*'}`)
      .digest()
  }

  function remember({ userId, tenantId }: Person, now: number): void {
    insert.run(hashOf(userId, tenantId), now)
    isAny = true
  }

  return {
    has({ key: { createInstant, tenantId }, receivedAt, subjects }) {
      if (!isAny) return false
      const at = createInstant === 0 ? receivedAt : createInstant
      return subjects.some((subject) =>
        [undefined, tenantId].some((tenant) => at <= (find.get(hashOf(subject, tenant))?.at ?? -Infinity)),
      )
    },
    remember,
    note(person, note, now) {
      remember(person, now)
      notes.insert(hashOf(person.userId, person.tenantId), note)
    },
    findNote: ({ userId, tenantId }) => notes.find(hashOf(userId, tenantId)),
    forgetNote: ({ userId, tenantId }) => notes.remove(hashOf(userId, tenantId)),
    refresh() {
      isAny = findAny.get() !== undefined
    },
  }
}

/** Index: primary key (person). */
function createErasureNotes(db: SqliteSql): {
  readonly insert: (person: Uint8Array, note: Uint8Array) => void
  readonly find: (person: Uint8Array) => Uint8Array | undefined
  readonly remove: (person: Uint8Array) => void
} {
  const insert = db.prepare(`
    insert into fw_erasure_notes (person, note) values (?, ?)
    on conflict (person) do update set note = excluded.note
  `)
  const find = query<{ note: Uint8Array }>(db, 'select note from fw_erasure_notes where person = ?')
  const remove = db.prepare('delete from fw_erasure_notes where person = ?')
  return {
    insert: (person, note) => void insert.run(person, note),
    find: (person) => find.get(person)?.note,
    remove: (person) => void remove.run(person),
  }
}
