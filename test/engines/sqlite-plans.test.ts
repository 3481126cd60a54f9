import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqlite, type SqliteSql } from '../../src/engines/sqlite/index.ts'

/** Every query the engine prepares, with the plan SQLite makes for it. */
async function plans(statistics?: string): Promise<Map<string, readonly string[]>> {
  const db = new DatabaseSync(':memory:')
  const prepared = new Set<string>()
  const recording: SqliteSql = {
    exec: (sql) => db.exec(sql),
    prepare(sql) {
      prepared.add(sql)
      return db.prepare(sql)
    },
  }
  const first = sqlite(recording, { allowVolatile: true })
  await first.open()
  if (statistics !== undefined) db.exec(statistics)
  await first[Symbol.asyncDispose]()
  const again = sqlite(recording, { allowVolatile: true })
  await again.open()
  await again.tend?.find({}, { limit: 1 }) // What looks and what tends is prepared when it is first asked for.
  await again.tend?.leave('nobody')
  const explained = [...prepared]
    .filter((sql) => /\bfw_(deliveries|events|subjects|failing)\b/.test(sql))
    .map((sql) => {
      const steps = db.prepare(`explain query plan ${sql}`).all()
      return [sql.replaceAll(/\s+/g, ' ').trim(), steps.map(({ detail }) => String(detail))] as const
    })
  return new Map(explained)
}

/** As after an analyze that found next to nothing, or the opposite of what is there now. */
const stale = (rows: number, perKey: string): string => `
  analyze;
  insert into sqlite_stat1 select tbl_name, name, '${rows} ${perKey}' from sqlite_schema
    where type = 'index' and name not like 'sqlite_stat%';
  insert into sqlite_stat1 select name, null, '${rows}' from sqlite_schema
    where type = 'table' and name like 'fw_%';
  analyze sqlite_schema;
`

test.each([
  ['no statistics', undefined],
  ['statistics of an empty inbox', 'analyze'],
  ['statistics that call every index useless', stale(1_000_000, '1000000 1000000 1000000')],
  ['statistics that call the tables tiny', stale(1, '1 1 1')],
])('walks an index in every hot statement, with %s', async (_, statistics) => {
  for (const [sql, steps] of await plans(statistics)) {
    // By an event's own id, which a person asks for: 60 ms a million, and no cost to any append.
    if (sql === 'select count(*) as count from fw_events' || sql.endsWith('from fw_events ids where id = ?'))
      continue
    for (const step of steps) {
      expect(step, sql).not.toMatch(/SCAN (?!intake|parked|heads|dead|admitted|gone|CONSTANT ROW)/)
      expect(step, sql).not.toMatch(/TEMP B-TREE|AUTOMATIC/)
      if (/^SEARCH (d|fw_deliveries)\b/.test(step)) expect(step, sql).toMatch(planned(sql))
    }
  }
})

/** By which index each statement reaches the deliveries. */
function planned(sql: string): RegExp {
  const indexes = [...sql.matchAll(/fw_deliveries (?:d )?indexed by (\w+)/g)].map(([, index]) => index)
  if (indexes.length === 0) return /USING PRIMARY KEY \(seq=\?( AND handler=\?)?\)/
  if (sql.includes('(select seq') || sql.includes('( select seq'))
    return /fw_parked|PRIMARY KEY \(seq=\? AND handler=\?\)/
  if (sql.startsWith('delete from fw_failing')) return /PRIMARY KEY \(seq=\?\)|INDEX fw_heads/
  if (sql.startsWith('with intake')) return /COVERING INDEX fw_(intake|parked|due|dead) \(handler=\?\)/
  return new RegExp(`INDEX (${indexes.join('|')}) \\((handler=\\?|seq[<>]\\?)`)
}
