import { createHash } from 'node:crypto'
import { signatureHeader, signer } from '../src/lib/sign.ts'
import { type Benchmark, figure, ratio } from './lib/benchmark.ts'
import { eventBody, eventId } from './lib/event-body.ts'
import { fill, type Load, template } from './lib/load.ts'
import { served } from './lib/served.ts'
import { secret } from './inbox/key.ts'

const program = (name: string) => new URL(`inbox/${name}.ts`, import.meta.url)
const sign = signer({ kid: 'bench', secret })
const body = eventBody(eventId(0))
  .replace(eventId(0), '<1>')
  .replace('"user.delete"', '"user.delete.complete"')
const pieces = template(body)

/** Ids as random as FusionAuth's, and a signature over each body. */
const load = (connections: number): Load => ({
  connections,
  path: '/fusionauth-webhook',
  headers: { 'content-type': 'application/json', [signatureHeader]: '<2>' },
  body,
  row(n) {
    const id = uuidOf(n)
    return [id, sign(fill(pieces, [id]))]
  },
})

function uuidOf(n: number): string {
  const hex = createHash('sha1').update(String(n)).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const subjects = [32, 64].flatMap((connections) =>
  ['fusewire', 'least', 'one-commit'].map((name) =>
    served(`${name} ${connections}`, program(name), load(connections)),
  ),
)

export const benchmark: Benchmark = {
  title: 'Acknowledge signed events of 2 KB once they are on disk',
  rounds: 5,
  ms: 2000,
  subjects,
  targets: [
    { name: 'fusewire / least, 32', value: ratio('requests/s', 'fusewire 32', 'least 32'), atLeast: 0.6 },
    {
      name: 'fusewire / one commit each, 32',
      value: ratio('requests/s', 'fusewire 32', 'one-commit 32'),
      atLeast: 3,
    },
    { name: 'fusewire / least, 64', value: ratio('requests/s', 'fusewire 64', 'least 64'), atLeast: 0.6 },
    { name: 'p99 ms at 32', value: figure('p99 ms', 'fusewire 32'), atMost: 10 },
  ],
}
