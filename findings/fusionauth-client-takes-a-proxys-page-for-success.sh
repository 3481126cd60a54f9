#!/usr/bin/env bash
# @fusionauth/typescript-client 1.69.0, 2026-11-29.
#
# When something in front of FusionAuth answers 200 with a page of its own (a proxy's default site, a login portal), the official
# client resolves: statusCode 200, `response` undefined, no error. Its handler reads the body only if the media type begins with
# application/json and says nothing otherwise. deleteUser() then looks the same as a deletion that took place, since FusionAuth's
# own answer to that call has no body either.
#
# Output seen:
#   deleteUser through a proxy's page: resolved, status 200, response undefined
#   retrieveUser through a proxy's page: resolved, status 200, response undefined
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 @fusionauth/typescript-client@1.69.0 >/dev/null

cat >run.mjs <<'JS'
import { createServer } from 'node:http'
import client from '@fusionauth/typescript-client'

const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<h1>It works!</h1>')
})
server.listen(0, '127.0.0.1', async () => {
  const fusionAuth = new client.FusionAuthClient('an API key', `http://127.0.0.1:${server.address().port}`)
  for (const call of ['deleteUser', 'retrieveUser']) {
    const end = await fusionAuth[call]('11111111-2222-4333-8444-555555555555').then(
      ({ statusCode, response }) => `resolved, status ${statusCode}, response ${response}`,
      () => 'rejected',
    )
    console.log(`${call} through a proxy's page: ${end}`)
  }
  server.close()
})
JS

seen=$(timeout 60 node_modules/.bin/node run.mjs)
echo "$seen"
[ "$seen" = "deleteUser through a proxy's page: resolved, status 200, response undefined
retrieveUser through a proxy's page: resolved, status 200, response undefined" ]
