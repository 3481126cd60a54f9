#!/usr/bin/env bash
# @fusionauth/typescript-client 1.69.0, 2026-11-29.
#
# A user action without an end carries FusionAuth's largest instant, 9223372036854775807, as its `expiry`. The official client
# reads answers with response.json(), so the program sees 9223372036854776000, and a program that reads the action, changes
# nothing and writes it back sends that number: one that no longer fits FusionAuth's 64-bit field. Neither call says anything.
#
# Output seen:
#   read 9223372036854776000
#   wrote {"action":{"id":"11111111-2222-4333-8444-555555555555","expiry":9223372036854776000}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 @fusionauth/typescript-client@1.69.0 >/dev/null

cat >run.mjs <<'JS'
import { createServer } from 'node:http'
import client from '@fusionauth/typescript-client'

let written = ''
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    if (request.method === 'PUT') written = body
    response.setHeader('content-type', 'application/json')
    response.end('{"action":{"id":"11111111-2222-4333-8444-555555555555","expiry":9223372036854775807}}')
  })
})
server.listen(0, '127.0.0.1', async () => {
  const fusionAuth = new client.FusionAuthClient('an API key', `http://127.0.0.1:${server.address().port}`)
  const { action } = (await fusionAuth.retrieveAction('11111111-2222-4333-8444-555555555555')).response
  console.log(`read ${action.expiry}`)
  await fusionAuth.modifyAction(action.id, { action })
  console.log(`wrote ${written}`)
  server.close()
})
JS

seen=$(timeout 60 node_modules/.bin/node run.mjs)
echo "$seen"
[ "$seen" = 'read 9223372036854776000
wrote {"action":{"id":"11111111-2222-4333-8444-555555555555","expiry":9223372036854776000}}' ]
