#!/usr/bin/env bash
# Deno 2.9.6, its node:sqlite, 2026-11-29.
#
# SQLite reports a locked database as result code 5 (SQLITE_BUSY). Node puts that code on the error's `errcode`, whichever
# method met it. Deno does so for prepare().run() and prepare().all(), but the error that DatabaseSync.exec() throws for the
# same lock has no `errcode` and no `errstr`: only the English message tells that waiting and trying again would help.
# Node 24.21.0 beside it sets `errcode` to 5 for all three.
#
# Output seen:
#   node exec 5, run 5, all 5
#   deno exec undefined, run 5, all 5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 deno@2.9.6 >/dev/null

cat >busy.mjs <<'JS'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const file = join(mkdtempSync(join(tmpdir(), 'busy-')), 'a.db')
const first = new DatabaseSync(file)
const second = new DatabaseSync(file)
first.exec('create table t (x)')
first.exec('begin immediate')
const codeOf = (run) => {
  try {
    run()
    return 'no error'
  } catch (error) {
    return String(error.errcode)
  }
}
const exec = codeOf(() => second.exec('begin immediate'))
const run = codeOf(() => second.prepare('insert into t values (1)').run())
const all = codeOf(() => second.prepare('begin immediate').all())
console.log(`exec ${exec}, run ${run}, all ${all}`)
JS

seen="node $(node_modules/.bin/node --no-warnings busy.mjs)
deno $(node_modules/.bin/deno run --allow-all busy.mjs)"
echo "$seen"
[ "$seen" = "node exec 5, run 5, all 5
deno exec undefined, run 5, all 5" ]
