import type { Source } from '../../../model/arrival.ts'
import type { Aside, Kept } from '../../../model/kept.ts'
import { query, type SqliteSql } from '../sql.ts'
import type { Walk } from './walk.ts'

/** What was set aside. Of a quarantined one only the bytes are known. */
interface AsideRow {
  readonly kind: Aside
  readonly created: number | null
  readonly tenant: string | null
  readonly id: string | null
  readonly type: string | null
  readonly source: Source | null
  readonly received: number | null
  readonly kept: number | null
  readonly size: number
  readonly hash: Uint8Array
  readonly subjects: string | null
}

/** Index: primary key (seq), as for all of these. */
export function walkingAsides(db: SqliteSql): Walk {
  const older = query<{ seq: number }>(db, 'select seq from fw_aside where seq < ? order by seq desc limit ?')
  const newer = query<{ seq: number }>(db, 'select seq from fw_aside where seq > ? order by seq limit ?')
  return (after, order, limit) => {
    const rows =
      order === 'newest' ? older.all(after ?? Number.MAX_SAFE_INTEGER, limit) : newer.all(after ?? -1, limit)
    const last = rows.at(-1)
    return {
      seqs: rows.map(({ seq }) => seq),
      ...(last !== undefined && rows.length === limit && { next: last.seq }),
    }
  }
}

/** What lies there, if it is of these kinds and names that person. */
export function readingAside(
  db: SqliteSql,
): (seq: number, kinds: readonly Aside[], subject: string | undefined, bodies: boolean) => Kept | undefined {
  const find = query<AsideRow>(
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
    return keptAside(row, bodies ? body() : undefined)
  }
}

/** Of a quarantined one it is not known whom it names: it is whoever its bytes hold. */
function names(row: AsideRow, body: () => Uint8Array | undefined, subject: string): boolean {
  if (row.kind !== 'quarantined') return subjectsOf(row).includes(subject)
  return Buffer.from(body() ?? [])
    .toString('latin1')
    .toLowerCase()
    .includes(subject)
}

export function subjectsOf({ subjects }: Pick<AsideRow, 'subjects'>): readonly string[] {
  return subjects === null ? [] : JSON.parse(subjects) // Written by settingAside, from a readonly string[].
}

/** The id of an event whose own is taken, or unknown. */
export function idOfHash(hash: Uint8Array): string {
  return `sha256:${Buffer.from(hash).toString('hex')}`
}

function keptAside(row: AsideRow, body: Uint8Array | undefined): Kept {
  const { kind, created, tenant, id, type, source, received, kept, size, hash } = row
  return {
    key: { createInstant: created ?? 0, tenantId: tenant ?? '', id: id ?? idOfHash(hash) },
    type: type ?? '',
    source: source ?? 'door',
    receivedAt: received ?? kept ?? 0,
    ...(kept !== null && { keptAt: kept }),
    size,
    ...(body !== undefined && { body }),
    aside: kind,
    deliveries: [],
  }
}
