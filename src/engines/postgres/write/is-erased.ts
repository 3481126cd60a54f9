/**
 * SQL: whether an event names a person who was erased, and is not newer than the erasure. An event without an instant counts by when it was
 * received. Index: primary key (person).
 */
export function isErased(schema: string, event: string): string {
  return `
    exists (select from ${schema}.erased) and exists (
      select from unnest(${event}.subjects) n
      join ${schema}.erased x on x.person in (${schema}.person(n, '*'), ${schema}.person(n, ${event}.tenant))
      where case when ${event}.created = 0 then ${event}.received else ${event}.created end <= x.at
    )`
}
