#!/usr/bin/env bash
# @electric-sql/pglite-socket 0.2.17 with @electric-sql/pglite 0.5.14, through pg 8.23.1, 2026-11-29.
#
# The socket server accepts several connections at once, and pg's clients see nothing unusual. But all of them are one session
# of one PostgreSQL: what one connection sets or prepares, the others have. A setting of the first is seen by the second, and a
# prepared statement's name that the first has used is refused to the second with 42P05, which a real server never does across
# connections. A pool that works against PostgreSQL may fail here at its second connection.
#
# Output seen:
#   application_name of the second connection: first
#   prepared statement of the second connection: 42P05
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 \
  @electric-sql/pglite-socket@0.2.17 @electric-sql/pglite@0.5.14 pg@8.23.1 >/dev/null

cat >run.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'

const server = new PGLiteSocketServer({ db: await PGlite.create(), host: '127.0.0.1', port: 0, maxConnections: 10 })
const listening = new Promise((resolve) => server.addEventListener('listening', (event) => resolve(event.detail.port)))
await server.start()
const port = await listening
const connect = async () => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', ssl: false })
  await client.connect()
  return client
}
const first = await connect()
const second = await connect()
await first.query("set application_name = 'first'")
const { rows } = await second.query('show application_name')
console.log(`application_name of the second connection: ${rows[0].application_name}`)
await first.query({ name: 'a_name', text: 'select 1' })
const end = await second.query({ name: 'a_name', text: 'select 1' }).then(() => 'accepted', ({ code }) => code)
console.log(`prepared statement of the second connection: ${end}`)
process.exit()
JS

seen=$(timeout 60 node_modules/.bin/node run.mjs)
echo "$seen"
[ "$seen" = "application_name of the second connection: first
prepared statement of the second connection: 42P05" ]
