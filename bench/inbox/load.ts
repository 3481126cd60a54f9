import { signatureHeader, signer } from '../../src/events/sign.ts'
import type { Load } from '../lib/load.ts'
import { body, rowOf, textOf } from './events.ts'
import { secret } from './key.ts'

const sign = signer({ kid: 'bench', secret })

/** Signed as FusionAuth would. */
function row(n: number): readonly string[] {
  const columns = rowOf(n)
  return [...columns, sign(textOf(columns))]
}

/** Events that FusionAuth has signed, each another one. */
export const signedLoad = (connections: number): Load => ({
  connections,
  path: '/fusionauth-webhook',
  headers: { 'content-type': 'application/json', [signatureHeader]: '<4>' },
  body,
  row,
})
