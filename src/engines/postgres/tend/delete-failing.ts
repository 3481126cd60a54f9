/**
 * SQL: deletes the failing times of lanes where nothing waits, because a lane is named after a user. Only older versions write this table.
 * Index: primary key (lane, handler).
 */
export function deleteFailing(schema: string, lanes: string): string {
  return `
      delete from ${schema}.failing f
      where f.lane = any (array (${lanes})) and not exists (
        select from ${schema}.heads h where h.lane = f.lane and h.handler = f.handler
      )`
}
