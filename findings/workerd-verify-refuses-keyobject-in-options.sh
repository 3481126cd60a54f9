#!/usr/bin/env bash
# workerd 1.20260730.1 through miniflare 4.20260730.0, nodejs_compat, 2026-11-29.
#
# crypto.verify() takes its key bare or inside an object that also names the signature's encoding. A JWT's ES256 signature is
# raw (ieee-p1363), so a verifier must use the object. In workerd that object takes a PEM text or a JWK, but not the KeyObject
# that workerd's own createPublicKey() has just returned: it throws a TypeError that asks for "an instance of ... Object" and
# names PublicKeyObject as what it received. The same KeyObject given bare, with a DER signature, verifies. Node accepts all.
#
# Output seen:
#   PEM in options: true
#   JWK in options: true
#   KeyObject bare: true
#   KeyObject in options: TypeError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 miniflare@4.20260730.0 workerd@1.20260730.1 >/dev/null

cat >run.mjs <<'JS'
import { generateKeyPairSync, sign } from 'node:crypto'
import { Miniflare } from 'miniflare'

const worker = `
import { Buffer } from 'node:buffer'
import { createPublicKey, verify } from 'node:crypto'
export default {
  async fetch(request) {
    const { pem, jwk, text, raw, der } = await request.json()
    const data = Buffer.from(text)
    const key = createPublicKey(pem)
    const dsaEncoding = 'ieee-p1363'
    const resultOf = (run) => { try { return String(run()) } catch (error) { return error.name } }
    const bytes = (base64) => Buffer.from(base64, 'base64')
    return new Response([
      'PEM in options: ' + resultOf(() => verify('sha256', data, { key: pem, dsaEncoding }, bytes(raw))),
      'JWK in options: ' + resultOf(() => verify('sha256', data, { key: jwk, format: 'jwk', dsaEncoding }, bytes(raw))),
      'KeyObject bare: ' + resultOf(() => verify('sha256', data, key, bytes(der))),
      'KeyObject in options: ' + resultOf(() => verify('sha256', data, { key, dsaEncoding }, bytes(raw))),
    ].join('\\n'))
  },
}`
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const text = 'the signed part of a token'
const body = JSON.stringify({
  text,
  pem: publicKey.export({ type: 'spki', format: 'pem' }),
  jwk: publicKey.export({ format: 'jwk' }),
  raw: sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64'),
  der: sign('sha256', Buffer.from(text), privateKey).toString('base64'),
})
const miniflare = new Miniflare({ modules: true, script: worker, compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'] })
const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body })
console.log(await response.text())
await miniflare.dispose()
JS

seen=$(timeout 60 node_modules/.bin/node run.mjs)
echo "$seen"
[ "$seen" = "PEM in options: true
JWK in options: true
KeyObject bare: true
KeyObject in options: TypeError" ]
