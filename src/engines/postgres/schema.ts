import { FusewireError } from '../../model/errors.ts'
import { execute, type PostgresClient, statement } from './sql.ts'

export interface Migration {
  /** The oldest code that can still work on the tables after this migration. */
  readonly worksSince: number
  readonly sql: (schema: string) => string
}

/**
 * Numbered from 1, never edited: an inbox in use has run them. Nodes of the version before go on working while they are replaced, so a
 * migration first adds (and fills, in steps), and a later release takes away what no running code uses: expand, then contract.
 */
export const migrations: readonly Migration[] = [
  { worksSince: 1, sql: tables },
  {
    worksSince: 1,
    sql: (schema) => `
    -- It was answered 200, so that a resend is not asked about again. False: a gate refused it, or an older version did not say.
    alter table ${schema}.aside add column accepted boolean not null default false;

    -- Events that a gate let pass and nobody asked for, of which only the key is kept (gone = 'unwanted'): by when they go.
    create table ${schema}.unwanted (
      position  bigint primary key,
      created   bigint not null,
      received  bigint not null
    );

    -- What identifies a person beside the user id, encrypted, until the erasure has ended. Key: as in erased.
    create table ${schema}.erasure_notes (
      person  bytea primary key,
      note    bytea not null
    );

    -- The time by which events are judged to be old, and for how much running time the server's clock has been doubted (ms). One row.
    create table ${schema}.judged (
      one    boolean primary key default true check (one),
      at     bigint,
      doubt  bigint not null,
      asked  bigint  -- when a node last moved it on, by the server's clock
    );

    -- What names people is not sampled for the planner: analyze takes no new sample of a table that an erasure has emptied. A change of
    -- type, even to the same, drops the samples of before. Of events and finished, which keep their rows, erase takes new samples.
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

    -- How long others delivered since a process last ran it, ms; and since when it gets no deliveries.
    alter table ${schema}.handlers add column idle bigint not null default 0;
    alter table ${schema}.handlers add column abandoned bigint;
    `,
  },
]

/**
 * Brings the tables up to date, one node at a time, all or nothing. Throws when they belong to a version that this one cannot work beside,
 * or when a table was in use for so long that waiting would have held up the others.
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
    const version = await versionOf(client, schema, wanted.length) // Again, under the lock: another node may have been faster.
    if (version === 0) await execute(client, `create schema if not exists ${schema}`)
    // Whoever waits for a table to change it makes all others wait behind it.
    await execute(client, `set local lock_timeout = '1s'`)
    for (const [index, { sql, worksSince }] of wanted.entries()) {
      if (index < version) continue
      await execute(client, sql(schema))
      await execute(client, `insert into ${schema}.migrations values (${index + 1}, ${worksSince})`)
    }
    await execute(client, 'commit')
  } catch (error) {
    await execute(client, 'rollback').catch(() => {}) // Why it could not be done is the error to tell.
    throw error
  }
}

const lock = statement('fusewire.lock', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')

/** Asked of the table of tables: what `to_regclass` answers is not refreshed by waiting for the lock. */
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
      'Run the newer version here too: an older one would not keep what it does not know.',
  )
}

/**
 * Texts are compared as bytes (collate "C"): faster, and no index breaks when the operating system changes its alphabet. Each hot table has
 * one index for each way it is asked, and no two that could serve the same question: a planner without statistics has nothing to get wrong.
 */
function tables(schema: string): string {
  return `
  create table ${schema}.migrations (
    version      int primary key,
    works_since  int not null
  );

  -- The time of every due date and lease: the database's, so that all nodes share it. Of the statement, not of its transaction,
  -- which in an atomic handler began long ago. Epoch milliseconds.
  create function ${schema}.now() returns bigint language sql stable
    return (extract(epoch from statement_timestamp()) * 1000)::bigint;

  create table ${schema}.handlers (
    id            int generated always as identity primary key,
    name          text collate "C" not null unique,
    types         text[],  -- these three: null for all
    tenants       text[],
    applications  text[],
    ordered       boolean not null
  );

  -- An event's place. Not cached by connections: what is answered before another is received has the lower one.
  create sequence ${schema}.positions;

  -- By weeks of their instant, so that retention drops tables. The key leads with the instant: led by the random id, every append
  -- would touch a page of its own. An id alone cannot be unique across partitions, but the instant is part of the key anyway.
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
    body      bytea,                -- null once it is gone: the key outlives the bytes
    gone      text,                 -- 'pruned' or 'erased'
    primary key (created, tenant, id),
    unique (position, created)      -- unique, so that the planner knows a place finds one row
  ) partition by range (created);

  -- What people look for. By buckets of 65,536 places, as in names, so that an append touches few pages however many events there are.
  create index events_id on ${schema}.events ((position >> 16), id);
  create index events_type on ${schema}.events (type, position) where gone is null;

  -- Whom an event names: the first half of the SHA-256 of each user's id.
  create table ${schema}.names (
    bucket    int not null,         -- position >> 16
    name      uuid not null,
    position  bigint not null,
    created   bigint not null,
    primary key (bucket, name, position, created)
  ) partition by range (created);
  create table ${schema}.names_default partition of ${schema}.names default;

  -- A body stays as it is, and up to 8 KB in its row (make_partitions says so of each): to compress it, or to put it elsewhere, took a
  -- tenth to a third of an append.
  alter table ${schema}.events alter column body set storage external;

  -- Senders choose the instant: 0, or the year 9999.
  create table ${schema}.events_default partition of ${schema}.events default with (toast_tuple_target = 8160);

  -- Arrivals that came under a known key with another body ('conflict'), so old that their key may be forgotten ('stale'), or that no
  -- event row can hold ('quarantined').
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

  -- A delivery without a lane has one of its own: its place.
  create function ${schema}.own_lane(place bigint) returns uuid language sql immutable
    return lpad(to_hex(place), 32, '0')::uuid;

  -- Appended and not looked at since.
  create table ${schema}.intake (
    handler   int not null,
    position  bigint not null,
    created   bigint not null,
    lane      uuid not null,
    primary key (handler, position)
  );

  -- Behind another of their lane.
  create table ${schema}.parked (
    handler   int not null,
    lane      uuid not null,
    position  bigint not null,
    created   bigint not null,
    primary key (handler, lane, position)
  );

  -- The first of each lane. A lease is a due time in the future and a token.
  create table ${schema}.heads (
    lane      uuid not null,
    handler   int not null,
    position  bigint not null,
    created   bigint not null,
    due       bigint not null,
    attempts  int not null default 0,
    crashes   int not null default 0,
    token     uuid,
    failures  text,                 -- JSON array of the last 10; not json, which refuses a NUL
    primary key (lane, handler)
  );
  -- By handler + 0, so that it serves those alone who say so: who asks for lanes of a handler must not find all of its heads here.
  create index heads_due on ${schema}.heads ((handler + 0), due, position);

  -- Since when a lane has failed without a success between.
  create table ${schema}.failing (
    lane     uuid not null,
    handler  int not null,
    since    bigint not null,
    primary key (lane, handler)
  );

  -- Deliveries that succeeded go with their events.
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

  -- Deliveries that were given up stay until a person replays or prunes them.
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

  -- Rows pass through these tables and leave. Cleaned late, an index walk reads what is no longer there.
  alter table ${schema}.intake set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
  alter table ${schema}.parked set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
  alter table ${schema}.heads  set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

  -- Processes that work on the inbox, and what one of them does for all.
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

  -- What requests were answered that left no event: a ring.
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

  -- Who was erased when: a hash of the person under a key of this inbox.
  create table ${schema}.erased (
    person  bytea primary key,
    at      bigint not null
  );
  create table ${schema}.erasure_key (key bytea not null);
  insert into ${schema}.erasure_key
    values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'utf8')));
  create function ${schema}.person(name uuid, tenant text) returns bytea language sql stable
    return (select sha256(key || convert_to(name || '/' || tenant, 'utf8')) from ${schema}.erasure_key);

  -- To write without changing anything: whether the inbox works is asked here.
  create table ${schema}.probe (at bigint not null);
  insert into ${schema}.probe values (0);

  -- The weeks from the last to three ahead. Runs as its owner, so that nodes need no right to make tables; waits for no one: what
  -- cannot be done now is done in an hour, and the default partitions hold what comes meanwhile.
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

  -- Drops a week whose space was given up by more than half, after what its rows still say was written anew: events that wait, dead
  -- letters and keys outlive it so. Gives the week, null when there is none. Appends to that week alone wait meanwhile.
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
  -- Of a suspect: how many were leased together when their process ended. 1: it ran alone. 0: no suspect.
  alter table ${schema}.heads add column company int not null default 0;
  alter table ${schema}.heads add column failing bigint;  -- when it first failed; means nothing where failures is null
  alter table ${schema}.heads add column held bigint;     -- since when failing deliveries hold the lane
  create index heads_held on ${schema}.heads (handler, held) where held is not null;

  -- No longer written: the two columns above say it.
  delete from ${schema}.failing;
  `
}
