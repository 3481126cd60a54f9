import { FusewireError } from '../../model/errors.ts'
import { query, type SqliteSql } from './sql.ts'

/**
 * Numbered from 1, never edited: an inbox in use has run them. Names carry `fw_`, because atomic handlers keep tables of their own
 * in the same file. Every hot statement names its index: left to choose, the planner took the primary key and appends fell to 198/s.
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

  -- The unique index leads with the instant: led by the random id, appends halve by a million events.
  create table fw_events (
    seq       integer primary key,
    created   integer not null,
    tenant    text not null,
    id        text not null,
    type      text not null,
    source    text not null,
    received  integer not null,
    hash      blob not null,
    body      blob,               -- null once it is pruned or erased: the key outlives the bytes
    refused   text,
    unique (created, tenant, id)
  ) strict;

  -- Whose event it is. Bucketed by seq >> 16, so that appends touch few pages: 1.4 times a bare append at a million, 2.4 unbucketed.
  create table fw_subjects (
    bucket   integer not null,
    subject  text not null,
    seq      integer not null,
    primary key (bucket, subject, seq)
  ) strict, without rowid;

  -- Arrivals that came under a known key with another body ('conflict'), or that no event row can hold ('quarantined').
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

  -- Appended as 'intake'. Admitted as its lane's 'head', or 'parked' behind one. Ends 'succeeded' or 'dead'.
  create table fw_deliveries (
    seq       integer not null,
    handler   integer not null,
    lane      text,               -- null: unordered
    state     text not null default 'intake',
    due       integer,            -- of a head: when it may be claimed. A lease is a due time in the future
    token     integer not null default 0,  -- counts the leases; the latest alone may change the row
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

  -- Since when a lane has failed without a success between; for a delivery without a lane, its seq stands for one.
  create table fw_failing (
    handler  integer not null,
    lane     any not null,
    since    integer not null,
    primary key (handler, lane)
  ) strict, without rowid;
  `,
  `
  alter table fw_events add column kept integer;  -- when it was committed, which is when it was answered
  alter table fw_events add column gone text;     -- 'pruned' or 'erased', once body is null
  alter table fw_events add column lane text;     -- where no delivery holds it: for one that a replay may make

  -- What is there, by type. Bucketed as fw_subjects, so that appends touch its right end only.
  create index fw_types on fw_events (seq / 1024, type, seq) where body is not null;
  create index fw_failed on fw_deliveries (seq) where failures is not null;

  alter table fw_aside add column kept integer;
  alter table fw_aside add column lane any;
  alter table fw_aside add column subjects text;  -- JSON array

  -- Who was erased when, as HMAC-SHA-256 of the person under a key of this inbox.
  create table fw_erased (
    person  blob primary key,
    at      integer not null
  ) strict, without rowid;
  create table fw_erasure_key (key blob not null) strict;
  insert into fw_erasure_key values (randomblob(32));

  -- A ring: what requests were answered that left no event.
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

  -- Processes at work here, and what only one of them does at a time.
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
  alter table fw_events add column trace text;    -- what a tracer wants back with each lease
  `,
  `
  -- 1: it was answered 200, so that a resend is not asked about again. 0: a gate refused it, or an older version did not say.
  alter table fw_aside add column accepted integer not null default 0;

  -- Events that a gate let pass and nobody asked for, of which only the key is kept (gone = 'unwanted'): by when they go.
  create table fw_unwanted (
    seq       integer primary key,
    received  integer not null
  ) strict;

  -- What identifies a person beside the user id, encrypted, until the erasure has ended. Key: as in fw_erased.
  create table fw_erasure_notes (
    person  blob primary key,
    note    blob not null
  ) strict, without rowid;

  -- Of a suspect: how many were leased together when their process ended. 1: it ran alone. 0: no suspect.
  alter table fw_deliveries add column company integer not null default 0;
  alter table fw_deliveries add column failing integer;  -- when it first failed
  alter table fw_deliveries add column held integer;     -- of a head: since when failing deliveries hold its lane
  create index fw_held on fw_deliveries (handler, held) where state = 'head' and held is not null;
  delete from fw_failing;                                -- no longer written: the two columns above say it

  alter table fw_handlers add column idle integer not null default 0;  -- ms that others delivered since a process last ran it
  alter table fw_handlers add column abandoned integer;                -- since when it gets no deliveries
  `,
  `
  -- The token of the lease whose expiry was counted last in crashes. Null once that crash was taken back.
  alter table fw_deliveries add column crashed_token integer;
  `,
]

/** Brings the tables up to date, one process at a time. Throws when the file was written by a newer version of this package. */
export function migrate(db: SqliteSql, file: string): void {
  if (versionOf(db, file) === migrations.length) return
  db.exec('begin immediate')
  try {
    // Read again under the lock: another process may have been faster.
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
      'Run the newer version here too: an older one would not keep what it does not know.',
  )
}
