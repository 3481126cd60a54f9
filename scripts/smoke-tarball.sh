#!/usr/bin/env bash
# Installs the packed package beside a Node of the given major version and sends it an event, by import and by require.
set -euo pipefail
major=$1
here=$(cd "$(dirname "$0")/.." && pwd)
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT

npm run --silent build
tarball=$(npm pack --silent --pack-destination "$there" "$here")
cd "$there"
echo '{ "private": true }' >package.json
npm install --silent --no-audit --no-fund "node@$major" "./$tarball"

cat >smoke.mjs <<'EOF'
import { apiKey, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { postgres } from 'fusewire/postgres'
import { sqlite } from 'fusewire/sqlite'
import { request } from 'fusewire/testing'

const key = 'a key for smoke tests'
const webhook = new Webhook({ authenticate: apiKey(key), inbox: sqlite('smoke.db', { allowVolatile: true }) })
let handled = 0
webhook.on('user.delete.complete', () => void handled++)
const { status } = await webhook.fetch(request('user.delete.complete', {}, { apiKey: key }))
await webhook.drain()
await webhook.stop()
if (status !== 200 || handled !== 1 || typeof toNodeHandler !== 'function') throw new Error(`${status}, ${handled} handled`)

// Not a dependency, so not there: an inbox of PostgreSQL says what to install.
const refusal = await postgres('postgres://127.0.0.1/none').open().catch((error) => error)
if (!/npm install pg/.test(refusal?.message)) throw new Error(`without pg: ${refusal}`)
EOF
cat >smoke.cjs <<'EOF'
for (const subpath of Object.keys(require('fusewire/package.json').exports)) {
  const names = Object.keys(require(subpath.replace('.', 'fusewire')))
  if (names.length === 0) throw new Error(`${subpath} is empty`)
}
EOF
node=node_modules/.bin/node
"$node" --disable-warning=ExperimentalWarning smoke.mjs
"$node" --disable-warning=ExperimentalWarning smoke.cjs
"$node" node_modules/.bin/fusewire inbox list --inbox sqlite:smoke.db | grep --quiet user.delete.complete
echo "works on Node $("$node" --version)"
