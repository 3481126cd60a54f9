import { FusewireError } from '../../model/errors.ts'
import { execute, type PostgresClient, statement } from './sql.ts'

export interface Migration {
  /** The oldest version of the code that can still work on the tables after this migration. */
  readonly worksSince: number
  readonly sql: (schema: string) => string
}

/**
 * Numbered from 1. Their effect is never changed, because inboxes in use have run them. During a deploy nodes of the version before work on
 * the same tables. So a migration only adds columns and tables, and a later release removes what no running code uses any more: expand, then
 * contract.
 */
export const migrations: readonly Migration[] = [
  { worksSince: 1, sql: tables },
  {
    worksSince: 1,
    sql: (schema) => `
    -- Whether it was answered 200: then a gate is not asked again about a resend. False: a gate refused it, or an older version did not store this.
    alter table ${schema}.aside add column accepted boolean not null default false;

    -- Events that a gate let pass and no handler wanted, of which only the key is kept (gone = 'unwanted'), in order of pruning.
    create table ${schema}.unwanted (
      position  bigint primary key,
      created   bigint not null,
      received  bigint not null
    );

    -- What identifies a person besides the user id, encrypted, until the erasure has ended. The key is that of the table erased.
    create table ${schema}.erasure_notes (
      person  bytea primary key,
      note    bytea not null
    );

    -- One row: the time by which events are judged to be old, and for how much running time the server's clock has been doubted (ms).
    create table ${schema}.judged (
      one    boolean primary key default true check (one),
      at     bigint,
      doubt  bigint not null,
      asked  bigint  -- when a node last updated this row, by the server's clock
    );

    -- The planner takes no samples of columns that name people, because ANALYZE would not replace the samples of a table that an erasure
    -- has emptied. Altering the type, even to the same one, drops earlier samples. Tables that keep their rows, events and finished, are
    -- analyzed again by erase.
    ${[
      ['aside', 'body', 'bytea'],
      ['heads', 'failures', 'text'],
      ['dead', 'failures', 'text'],
    ]
      .map(
        ([table, column, type]) => `
    alter table ${schema}.${table} alter column ${column} type ${type};
    alter table ${schema}.${table} alter column ${column} set statistics 0;`,
      )
      .join('')}

    ${addSuspects(schema)}

    -- How long other processes have delivered since one last ran this handler, ms; and since when the handler gets no deliveries.
    alter table ${schema}.handlers add column idle bigint not null default 0;
    alter table ${schema}.handlers add column abandoned bigint;
    `,
  },
  {
    worksSince: 1,
    sql: (schema) => `
    -- The token of the lease whose expiry was counted last in crashes. Null once that crash was taken back.
    alter table ${schema}.heads add column crashed_token uuid;

    -- One row: when a node last compared the server's clock with the time that it has run, by the server's clock.
    create table ${schema}.clock (
      one   boolean primary key default true check (one),
      seen  bigint not null
    );
    insert into ${schema}.clock (seen) values (${schema}.now());
    `,
  },
]

/**
 * Runs the missing migrations in one transaction, one node at a time. Throws when the tables belong to a newer version beside which this one
 * cannot work, or when a table is locked for longer than a second: the statements of other nodes would wait behind this one.
 */
export async function migrate(
  client: PostgresClient,
  schema: string,
  wanted: readonly Migration[] = migrations,
): Promise<void> {
  if ((await versionOf(client, schema, wanted.length)) >= wanted.length) return
  await execute(client, 'begin isolation level read committed')
  try {
    await lock(client, `fusewire migrations of ${schema}`)
    const version = await versionOf(client, schema, wanted.length) // Again, under the lock: another node may have migrated meanwhile.
    if (version === 0) await execute(client, `create schema if not exists ${schema}`)
    // While a DDL statement waits for its lock, every later statement on that table waits behind it.
    await execute(client, `set local lock_timeout = '1s'`)
    for (const [index, { sql, worksSince }] of wanted.entries()) {
      if (index < version) continue
      await execute(client, sql(schema))
      await execute(client, `insert into ${schema}.migrations values (${index + 1}, ${worksSince})`)
    }
    await execute(client, 'commit')
  } catch (error) {
    await execute(client, 'rollback').catch(() => {}) // The error to throw is the one that failed the migration.
    throw error
  }
}

const lock = statement('fusewire.lock', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')

/** Reads pg_tables, because `to_regclass` may answer from a cache that is older than the lock. */
const tableExists = statement<{ exists: boolean }>(
  'fusewire.table_exists',
  `select exists (select from pg_tables where format('"%s"', schemaname) = $1 and tablename = 'migrations')`,
)

async function versionOf(client: PostgresClient, schema: string, ours: number): Promise<number> {
  const [table] = await tableExists(client, schema)
  if (table?.exists !== true) return 0
  const find = statement<{ version: number; works_since: number }>(
    `${schema}.version`,
    `select max(version) as version, max(works_since) as works_since from ${schema}.migrations`,
  )
  const [{ version, works_since } = { version: 0, works_since: 0 }] = await find(client)
  if (works_since <= ours) return version
  throw new FusewireError(
    'FW_INBOX_NEWER',
    `The schema ${schema} was made by a newer version of fusewire (${version}), beside which this one (${ours}) cannot work. ` +
      'Run the newer version here, too: this one would not store what the newer one needs.',
  )
}

/**
 * Texts are compared as bytes (collate "C"): that is faster, and no index breaks when the operating system changes its collation. A table that
 * is used often has one index for each kind of query, and no two that could serve the same one, so that a planner without statistics cannot
 * choose a wrong one.
 */
function tables(schema: string): string {
  return `
  create table ${schema}.migrations (
    version      int primary key,
    works_since  int not null
  );

  -- Epoch milliseconds of the server's clock, for every due date and lease, so that all nodes share one clock. When the statement began,
  -- not its transaction: that of an atomic handler may have begun long ago.
  create function ${schema}.now() returns bigint language sql stable
    return (extract(epoch from statement_timestamp()) * 1000)::bigint;

  create table ${schema}.handlers (
    id            int generated always as identity primary key,
    name          text collate "C" not null unique,
    types         text[],  -- null in these three columns: all
    tenants       text[],
    applications  text[],
    ordered       boolean not null
  );

  -- Positions of events. Connections cache none: an event that is answered before another is received has the lower position.
  create sequence ${schema}.positions;

  -- Partitioned by weeks of the event's instant, so that pruning can drop whole tables. The primary key begins with the instant: with the
  -- random id first, every append would write to another page. A unique key must contain the partition key, which the instant is.
  create table ${schema}.events (
    created   bigint not null,
    position  bigint not null,
    received  bigint not null,
    lane      uuid,
    hash      bytea not null,
    tenant    text collate "C" not null,
    id        text collate "C" not null,
    type      text collate "C" not null,
    source    text collate "C" not null,
    refused   text,
    applications  text[] not null,
    trace     text,
    kept      bigint not null,      -- when it was appended
    body      bytea,                -- null once it was pruned or erased: the key stays for longer
    gone      text,                 -- 'pruned' or 'erased'
    primary key (created, tenant, id),
    unique (position, created)      -- unique, so that the planner expects one row
  ) partition by range (created);

  -- For searches by people. By buckets of 65,536 positions, as in names, so that an append writes to few pages however many events there are.
  create index events_id on ${schema}.events ((position >> 16), id);
  create index events_type on ${schema}.events (type, position) where gone is null;

  -- The users that an event names: the first half of the SHA-256 of each user's id.
  create table ${schema}.names (
    bucket    int not null,         -- position >> 16
    name      uuid not null,
    position  bigint not null,
    created   bigint not null,
    primary key (bucket, name, position, created)
  ) partition by range (created);
  create table ${schema}.names_default partition of ${schema}.names default;

  -- Bodies are not compressed, and up to 8 KB they are stored in their row (make_partitions sets this for each partition): compressing them
  -- or storing them out of line took a tenth to a third of the time of an append.
  alter table ${schema}.events alter column body set storage external;

  -- For instants of any other week: the sender chooses them, and may choose 0 or the year 9999.
  create table ${schema}.events_default partition of ${schema}.events default with (toast_tuple_target = 8160);

  -- Arrivals with the key of a known event and another body ('conflict'); so old that their key may have been deleted ('stale'); or that
  -- cannot be stored as a row of events ('quarantined').
  create table ${schema}.aside (
    hash      bytea primary key,
    place     bigint not null default nextval('${schema}.positions'),
    kind      text not null,
    kept      bigint not null default ${schema}.now(),
    created   bigint,
    tenant    text,
    id        text,
    type      text,
    source    text,
    received  bigint,
    lane      uuid,
    names     uuid[],
    applications  text[],
    trace     text,
    body      bytea not null
  );
  create unique index aside_place on ${schema}.aside (place);

  -- The lane of a delivery that has none: its position, so that no other delivery is in it.
  create function ${schema}.own_lane(place bigint) returns uuid language sql immutable
    return lpad(to_hex(place), 32, '0')::uuid;

  -- Deliveries that were appended and that no claim has admitted to their lane yet.
  create table ${schema}.intake (
    handler   int not null,
    position  bigint not null,
    created   bigint not null,
    lane      uuid not null,
    primary key (handler, position)
  );

  -- Deliveries that wait behind the head of their lane.
  create table ${schema}.parked (
    handler   int not null,
    lane      uuid not null,
    position  bigint not null,
    created   bigint not null,
    primary key (handler, lane, position)
  );

  -- The first delivery of each lane. A leased one has a token, and is due when the lease expires.
  create table ${schema}.heads (
    lane      uuid not null,
    handler   int not null,
    position  bigint not null,
    created   bigint not null,
    due       bigint not null,
    attempts  int not null default 0,
    crashes   int not null default 0,
    token     uuid,
    failures  text,                 -- JSON array of the last 10. Not of type json, which refuses a NUL
    primary key (lane, handler)
  );
  -- On handler + 0, so that only queries that write handler + 0 use it: a query for some lanes of a handler must not read all of its heads.
  create index heads_due on ${schema}.heads ((handler + 0), due, position);

  -- Since when a lane has failed without a success in between.
  create table ${schema}.failing (
    lane     uuid not null,
    handler  int not null,
    since    bigint not null,
    primary key (lane, handler)
  );

  -- Deliveries that ended, except dead letters. Pruned with their events.
  create table ${schema}.finished (
    created   bigint not null,
    position  bigint not null,
    handler   int not null,
    attempts  int not null,
    reason    text,
    failures  text,
    primary key (position, handler, created)
  ) partition by range (created);
  create table ${schema}.finished_default partition of ${schema}.finished default;

  -- Dead letters: they stay until a person replays or prunes them.
  create table ${schema}.dead (
    handler   int not null,
    position  bigint not null,
    created   bigint not null,
    lane      uuid not null,
    attempts  int not null,
    reason    text not null,
    failures  text,
    primary key (handler, position)
  );

  -- Rows stay in these tables for a short time. When vacuum comes late, index scans read many dead entries.
  alter table ${schema}.intake set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
  alter table ${schema}.parked set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
  alter table ${schema}.heads  set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

  -- Processes that work on the inbox, and duties that one of them does for all.
  create table ${schema}.nodes (
    id        text collate "C" primary key,
    host      text collate "C" not null,
    pid       int not null,
    started   bigint not null,
    seen      bigint not null,
    handlers  text[] not null
  );
  create table ${schema}.duties (
    name  text collate "C" primary key,
    node  text collate "C" not null,
    until bigint not null
  );

  -- Receipts of requests that left no event. The oldest are deleted.
  create table ${schema}.receipts (
    place    bigint generated always as identity primary key,
    at       float8 not null,
    took     float8 not null,
    status   int not null,
    outcome  text not null,
    reason   text,
    type     text,
    id       text
  );

  -- Erased persons, as a hash under a key of this inbox, and when they were erased.
  create table ${schema}.erased (
    person  bytea primary key,
    at      bigint not null
  );
  create table ${schema}.erasure_key (key bytea not null);
  insert into ${schema}.erasure_key
    values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'utf8')));
  create function ${schema}.person(name uuid, tenant text) returns bytea language sql stable
    return (select sha256(key || convert_to(name || '/' || tenant, 'utf8')) from ${schema}.erasure_key);

  -- A row to write to, to learn whether the inbox works.
  create table ${schema}.probe (at bigint not null);
  insert into ${schema}.probe values (0);

  -- Makes the partitions from last week to three weeks ahead. Runs with the rights of its owner, so that nodes need no right to create
  -- tables. Gives up after half a second without a lock: every node tries again in an hour, and the default partitions take rows meanwhile.
  create function ${schema}.make_partitions() returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '500ms'
  as $$
  declare
    week constant bigint := 7 * 24 * 60 * 60000;
    first bigint;
    parent text;
    partition text;
  begin
    if not pg_try_advisory_xact_lock('${schema}.events'::regclass::oid::bigint) then return; end if;
    for ahead in -1..3 loop
      first := (${schema}.now() / week + ahead) * week;
      foreach parent in array array['events', 'names', 'finished'] loop
        partition := parent || to_char(to_timestamp(first / 1000) at time zone 'utc', '_YYYYMMDD');
        continue when to_regclass('${schema}.' || partition) is not null;
        execute format('lock table ${schema}.%I in share row exclusive mode', parent || '_default');
        execute format(
          'create table ${schema}.%I (like ${schema}.%I including all) with (toast_tuple_target = 8160)', partition, parent);
        execute format(
          'with moved as (delete from ${schema}.%I where created >= %s and created < %s returning *)
           insert into ${schema}.%I select * from moved',
          parent || '_default', first, first + week, partition);
        execute format(
          'alter table ${schema}.%I attach partition ${schema}.%I for values from (%s) to (%s)',
          parent, partition, first, first + week);
      end loop;
    end loop;
  exception
    when lock_not_available then null;
  end
  $$;

  -- Replaces the partitions of the first week that uses more than twice the space of its rows: copies the rows that are left, such as
  -- waiting events and keys, and drops the old tables. Returns the week, or null when there is none. Appends to that week wait meanwhile.
  create function ${schema}.compact() returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '500ms'
  as $$
  declare
    week text;
    parent text;
    bounds text;
    rows bigint;
    bytes float8;
  begin
    if not pg_try_advisory_xact_lock('${schema}.events'::regclass::oid::bigint) then return null; end if;
    for week in
      select right(relname, 9) from pg_class
      where relnamespace = '${schema}'::regnamespace and relkind = 'r' and relname ~ '^events_\\d{8}$'
      order by relname
    loop
      execute format('select count(*), coalesce(avg(pg_column_size(e.*)), 0) from ${schema}.%I e tablesample system (1)', 'events' || week)
        into rows, bytes;
      if pg_relation_size(format('${schema}.%I', 'events' || week)) < 2 * 100 * rows * bytes + 10e6 then continue; end if;
      foreach parent in array array['events', 'names', 'finished'] loop
        execute format('lock table ${schema}.%I in share row exclusive mode', parent || week);
        execute format(
          'create table ${schema}.%I (like ${schema}.%I including all) with (toast_tuple_target = 8160)', parent || '_anew', parent);
        execute format('insert into ${schema}.%I select * from ${schema}.%I', parent || '_anew', parent || week);
      end loop;
      foreach parent in array array['events', 'names', 'finished'] loop
        select pg_get_expr(relpartbound, oid) into bounds
          from pg_class where oid = format('${schema}.%I', parent || week)::regclass;
        execute format('drop table ${schema}.%I', parent || week);
        execute format('alter table ${schema}.%I rename to %I', parent || '_anew', parent || week);
        execute format('alter table ${schema}.%I attach partition ${schema}.%I %s', parent, parent || week, bounds);
      end loop;
      return week;
    end loop;
    return null;
  exception
    when lock_not_available then return null;
  end
  $$;
  `
}

function addSuspects(schema: string): string {
  return `
  -- How many deliveries were leased together when their process ended. 1: this one ran alone. 0: no suspect.
  alter table ${schema}.heads add column company int not null default 0;
  alter table ${schema}.heads add column failing bigint;  -- when it first failed; valid only where failures is not null
  alter table ${schema}.heads add column held bigint;     -- since when failing deliveries hold the lane
  create index heads_held on ${schema}.heads (handler, held) where held is not null;

  -- Replaced by the two columns above.
  delete from ${schema}.failing;
  `
}
