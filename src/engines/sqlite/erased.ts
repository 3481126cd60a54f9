import { createHmac } from 'node:crypto'
import type { Person } from '../../model/erasure.ts'
import type { Arrival } from '../../model/event.ts'
import { query, type SqliteSql } from './sql.ts'

/** Who was erased: what comes of them again, and is not newer than that, is kept without its body. */
export interface Erased {
  has(arrival: Arrival): boolean
  /** In the caller's transaction. */
  remember(person: Person, now: number): void
  /** Another process may have erased somebody. */
  refresh(): void
}

/** Index: primary key (person). */
export function erased(db: SqliteSql): Erased {
  const findKey = query<{ key: Uint8Array }>(db, 'select key from fw_erasure_key')
  const findAny = query<unknown>(db, 'select 1 from fw_erased limit 1')
  const find = query<{ at: number }>(db, 'select at from fw_erased where person = ?')
  const insert = db.prepare(`
    insert into fw_erased (person, at) values (?, ?)
    on conflict (person) do update set at = excluded.at
  `)
  let key: Uint8Array | undefined
  let any = findAny.get() !== undefined

  /** Not the id itself: who is gone is not to be read from here. */
  function hashOf(subject: string, tenantId: string | undefined): Uint8Array {
    key ??= findKey.get()?.key
    if (key === undefined) throw new Error('fw_erasure_key is empty')
    return createHmac('sha256', key)
      .update(`${subject}/${tenantId ?? '*'}`)
      .digest()
  }

  return {
    has({ key: { createInstant, tenantId }, receivedAt, subjects }) {
      if (!any) return false
      const at = createInstant === 0 ? receivedAt : createInstant
      return subjects.some((subject) =>
        [undefined, tenantId].some((tenant) => at <= (find.get(hashOf(subject, tenant))?.at ?? -Infinity)),
      )
    },
    remember({ userId, tenantId }, now) {
      insert.run(hashOf(userId, tenantId), now)
      any = true
    },
    refresh() {
      any = findAny.get() !== undefined
    },
  }
}
