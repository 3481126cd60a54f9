import { type Benchmark, ratio } from './lib/benchmark.ts'
import { eventBody, eventId } from './lib/event-body.ts'
import { generate } from './lib/generators.ts'
import type { Load } from './lib/load.ts'
import { served } from './lib/served.ts'
import { key } from './receive/key.ts'

const program = (name: string) => new URL(`receive/${name}.ts`, import.meta.url)

/** Every request is another event, or our memory of the last ones would answer. */
const load: Load = {
  connections: 32,
  path: '/fusionauth-webhook',
  headers: { authorization: key, 'content-type': 'application/json' },
  body: eventBody(eventId(0)).replace(eventId(0), '<1>'),
  row: (n) => [eventId(n)],
}

export const benchmark: Benchmark = {
  title: `Receive events of 2 KB over 32 connections from ${generate.name}`,
  rounds: 9,
  ms: 2000,
  subjects: ['fusewire', 'node', 'express', 'fastify'].map((name) => ({
    ...served(name, program(name), load),
    compared: name === 'fusewire',
  })),
  targets: [
    { name: 'fusewire / node:http', value: ratio('requests/s', 'fusewire', 'node'), atLeast: 0.85 },
    { name: 'fusewire / express', value: ratio('requests/s', 'fusewire', 'express'), atLeast: 1 },
  ],
}
