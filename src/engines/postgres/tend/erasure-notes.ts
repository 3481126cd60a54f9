import type { Person } from '../../../model/person.ts'
import { nameOf, type PostgresClient, statement } from '../sql.ts'

/** The notes of erasures that have not ended, under a keyed hash of the person. */
export interface ErasureNotes {
  insert(client: PostgresClient, person: Person, note: Uint8Array): Promise<void>
  find(client: PostgresClient, person: Person): Promise<Uint8Array | undefined>
  remove(client: PostgresClient, person: Person): Promise<void>
}

export function createErasureNotes(schema: string): ErasureNotes {
  const insert = statement(
    `${schema}.erasure_note`,
    `
    insert into ${schema}.erasure_notes (person, note) values (${schema}.person($1::uuid, $2), $3::bytea)
    on conflict (person) do update set note = excluded.note
    `,
  )
  const find = statement<{ note: Uint8Array }>(
    `${schema}.erasure_note_find`,
    `select note from ${schema}.erasure_notes where person = ${schema}.person($1::uuid, $2)`,
  )
  const remove = statement(
    `${schema}.erasure_note_remove`,
    `delete from ${schema}.erasure_notes where person = ${schema}.person($1::uuid, $2)`,
  )
  return {
    async insert(client, { userId, tenantId = '*' }, note) {
      await insert(client, nameOf(userId), tenantId, note)
    },
    async find(client, { userId, tenantId = '*' }) {
      return (await find(client, nameOf(userId), tenantId))[0]?.note
    },
    async remove(client, { userId, tenantId = '*' }) {
      await remove(client, nameOf(userId), tenantId)
    },
  }
}
