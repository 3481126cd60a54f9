import { FusewireError } from '../../model/errors.ts'
import { query, type SqliteSql } from './sql.ts'

/**
 * Numbered from 1. Never edit their statements: inboxes in use have run them. Names begin with `fw_`, because atomic handlers keep their own
 * tables in the same file. Every hot statement names its index (`indexed by`): the planner chose the primary key, and appends fell to 198/s.
 */
const migrations: readonly string[] = [
  `
  create table fw_handlers (
    id            integer primary key,
    name          text not null unique,
    types         text not null,  -- JSON: an array, or "*"
    tenants       text,           -- JSON array, null for all
    applications  text,           -- JSON array, null for all
    ordering      text not null
  ) strict;

  -- The unique index begins with the instant. If it began with the random id, appends would be half as fast at a million events.
  create table fw_events (
    seq       integer primary key,
    created   integer not null,
    tenant    text not null,
    id        text not null,
    type      text not null,
    source    text not null,
    received  integer not null,
    hash      blob not null,
    body      blob,               -- null once it is pruned or erased; the key stays longer
    refused   text,
    unique (created, tenant, id)
  ) strict;

  -- The people an event names. Bucketed by seq / 1024, so that appends write few pages: at a million events an append takes 1.4 times as
  -- long as without this table, and 2.4 times without buckets.
  create table fw_subjects (
    bucket   integer not null,
    subject  text not null,
    seq      integer not null,
    primary key (bucket, subject, seq)
  ) strict, without rowid;

  -- Set-aside events: 'conflict' (the key is known with another body), 'stale' (older than the known keys), 'quarantined' (rejected by the
  -- database, of which only the bytes are known).
  create table fw_aside (
    seq       integer primary key,
    kind      text not null,
    created   any,
    tenant    any,
    id        any,
    type      any,
    source    any,
    received  any,
    hash      blob not null unique,
    body      blob not null
  ) strict;

  -- Appended as 'intake'. A claim makes it the 'head' of its lane, or 'parked' behind the head. Ends as 'succeeded' or 'dead'.
  create table fw_deliveries (
    seq       integer not null,
    handler   integer not null,
    lane      text,               -- null: no lane
    state     text not null default 'intake',
    due       integer,            -- of a head: when it may be claimed or, while it is leased, when the lease expires
    token     integer not null default 0,  -- counts the leases; only the latest may change the row
    leased    integer not null default 0,
    attempts  integer not null default 0,
    crashes   integer not null default 0,
    reason    text,
    failures  text,               -- JSON array of the last 10
    primary key (seq, handler)
  ) strict, without rowid;

  create index fw_intake on fw_deliveries (handler, seq) where state = 'intake';
  create index fw_parked on fw_deliveries (handler, lane, seq) where state = 'parked';
  create index fw_due on fw_deliveries (handler, due, seq) where state = 'head';
  create unique index fw_heads on fw_deliveries (handler, lane) where state = 'head';
  create index fw_dead on fw_deliveries (handler, seq) where state = 'dead';

  -- Since when a lane has failed without a success in between. A delivery without a lane uses its seq as its lane. No longer written.
  create table fw_failing (
    handler  integer not null,
    lane     any not null,
    since    integer not null,
    primary key (handler, lane)
  ) strict, without rowid;
  `,
  `
  alter table fw_events add column kept integer;  -- when it was committed
  alter table fw_events add column gone text;     -- why body is null: 'pruned', 'erased' or 'unwanted'
  alter table fw_events add column lane text;     -- only if no delivery has it: for deliveries that a replay makes

  -- Events that have a body, by type. Bucketed like fw_subjects, so that appends write only at its right end.
  create index fw_types on fw_events (seq / 1024, type, seq) where body is not null;
  create index fw_failed on fw_deliveries (seq) where failures is not null;

  alter table fw_aside add column kept integer;
  alter table fw_aside add column lane any;
  alter table fw_aside add column subjects text;  -- JSON array

  -- When a person was erased. The person is an HMAC-SHA-256 with the key of this inbox.
  create table fw_erased (
    person  blob primary key,
    at      integer not null
  ) strict, without rowid;
  create table fw_erasure_key (key blob not null) strict;
  insert into fw_erasure_key values (randomblob(32));

  -- Receipts of requests that left no event. Only the newest are kept.
  create table fw_receipts (
    n        integer primary key,
    at       integer not null,
    took     integer not null,
    status   integer not null,
    outcome  text not null,
    reason   text,
    type     text,
    id       text
  ) strict;

  -- The processes that work on this inbox, and the duties that one process has at a time.
  create table fw_nodes (
    id        text primary key,
    host      text not null,
    pid       integer not null,
    started   integer not null,
    seen      integer not null,
    handlers  text not null       -- JSON array
  ) strict, without rowid;
  create table fw_duties (
    name   text primary key,
    node   text not null,
    until  integer not null
  ) strict, without rowid;
  `,
  `
  alter table fw_events add column trace text;    -- the trace context, returned with each lease
  `,
  `
  -- 1: answered 200, so gates are not asked about a resend. 0: a gate refused it, or an older version wrote the row.
  alter table fw_aside add column accepted integer not null default 0;

  -- Events that a gate accepted and no handler wants. Only their key is kept (gone = 'unwanted'), until their retention ends.
  create table fw_unwanted (
    seq       integer primary key,
    received  integer not null
  ) strict;

  -- What else identifies a person whose erasure has not ended, encrypted. The key is the same as in fw_erased.
  create table fw_erasure_notes (
    person  blob primary key,
    note    blob not null
  ) strict, without rowid;

  -- How many deliveries were leased together when their process ended. 1: this one ran alone. 0: it is no suspect.
  alter table fw_deliveries add column company integer not null default 0;
  alter table fw_deliveries add column failing integer;  -- when the delivery first failed
  alter table fw_deliveries add column held integer;     -- of a head: since when failing deliveries hold its lane
  create index fw_held on fw_deliveries (handler, held) where state = 'head' and held is not null;
  delete from fw_failing;                                -- replaced by the two columns above

  alter table fw_handlers add column idle integer not null default 0;  -- for how long other processes have delivered since one last ran it, ms
  alter table fw_handlers add column abandoned integer;                -- since when it gets no new deliveries
  `,
  `
  -- The token of the lease whose expiry was counted last in crashes. Null once that crash was taken back.
  alter table fw_deliveries add column crashed_token integer;
  `,
]

/** Runs the migrations that the file has not run, one process at a time. Throws when a newer version of this package has written the file. */
export function migrate(db: SqliteSql, file: string): void {
  if (versionOf(db, file) === migrations.length) return
  db.exec('begin immediate')
  try {
    // Reads the version again under the lock, because another process may have migrated meanwhile.
    for (const migration of migrations.slice(versionOf(db, file))) db.exec(migration)
    db.prepare(`insert or replace into fw_meta (name, value) values ('schema', ?)`).run(migrations.length)
    db.exec('commit')
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

function versionOf(db: SqliteSql, file: string): number {
  db.exec(
    'create table if not exists fw_meta (name text primary key, value integer not null) strict, without rowid',
  )
  const meta = query<{ value: number }>(db, `select value from fw_meta where name = 'schema'`)
  const version = meta.get()?.value ?? 0
  if (version <= migrations.length) return version
  throw new FusewireError(
    'FW_INBOX_NEWER',
    `${file} was written by a newer version of fusewire (schema ${version}; this one knows ${migrations.length}). ` +
      'Run the newer version here, too: an older one does not maintain the new columns.',
  )
}
