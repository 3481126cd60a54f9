import { type AsideRow, keptAsideOf } from '../../../model/event-row.ts'
import type { Aside, Kept } from '../../../model/kept.ts'
import { query, type SqliteSql } from '../sql.ts'
import { stretchOf, type Walk } from './stretch.ts'

interface Row extends Omit<AsideRow, 'id'> {
  readonly id: string | null
  readonly hash: Uint8Array
  readonly subjects: string | null
}

/** Index: primary key (seq), as for all of these. */
export function prepareWalkSetAside(db: SqliteSql): Walk {
  const older = query<{ seq: number }>(db, 'select seq from fw_aside where seq < ? order by seq desc limit ?')
  const newer = query<{ seq: number }>(db, 'select seq from fw_aside where seq > ? order by seq limit ?')
  return (after, order, limit) => {
    const rows =
      order === 'newest'
        ? older.all(after ?? Number.MAX_SAFE_INTEGER, limit + 1)
        : newer.all(after ?? -1, limit + 1)
    return stretchOf(
      rows.map(({ seq }) => seq),
      limit,
    )
  }
}

/** Loads a set-aside event if it is of one of these kinds and names the person. */
export function prepareLoadSetAside(
  db: SqliteSql,
): (seq: number, kinds: readonly Aside[], subject: string | undefined, bodies: boolean) => Kept | undefined {
  const find = query<Row>(
    db,
    `
    select kind, created, tenant, id, type, source, received, kept, length(body) as size, hash, subjects
    from fw_aside where seq = ?
    `,
  )
  const findBody = query<{ body: Uint8Array }>(db, 'select body from fw_aside where seq = ?')
  return (seq, kinds, subject, bodies) => {
    const row = find.get(seq)
    if (row === undefined || !kinds.includes(row.kind)) return undefined
    const body = () => findBody.get(seq)?.body
    if (subject !== undefined && !names(row, body, subject)) return undefined
    return keptAsideOf({ ...row, id: row.id ?? idOfHash(row.hash) }, bodies ? body() : undefined)
  }
}

/** The subjects of a quarantined event are unknown, so its bytes are searched for the person's id. */
function names(row: Row, body: () => Uint8Array | undefined, subject: string): boolean {
  if (row.kind !== 'quarantined') return subjectsOf(row).includes(subject)
  return Buffer.from(body() ?? [])
    .toString('latin1')
    .toLowerCase()
    .includes(subject)
}

export function subjectsOf({ subjects }: Pick<Row, 'subjects'>): readonly string[] {
  return subjects === null ? [] : JSON.parse(subjects) // Written by prepareSetAside, from a readonly string[].
}

/** The id of an event whose own id is unknown, or already used by another event. */
export function idOfHash(hash: Uint8Array): string {
  return `sha256:${Buffer.from(hash).toString('hex')}`
}
