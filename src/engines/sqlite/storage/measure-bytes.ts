import { query, type SqliteSql } from '../sql.ts'

/** The size of the database in bytes, without its free pages. 3 us. */
export function prepareMeasureBytes(db: SqliteSql): () => number {
  const pages = query<{ page_count: number }>(db, 'pragma page_count')
  const free = query<{ freelist_count: number }>(db, 'pragma freelist_count')
  const size = query<{ page_size: number }>(db, 'pragma page_size')
  return () => {
    const used = (pages.get()?.page_count ?? 0) - (free.get()?.freelist_count ?? 0)
    return used * (size.get()?.page_size ?? 0)
  }
}
