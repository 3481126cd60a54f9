import { type Benchmark, ratio, type Subject } from './lib/benchmark.ts'
import { eventBody, eventId } from './lib/event-body.ts'
import type { Load } from './lib/load.ts'
import { served } from './lib/served.ts'
import { database } from './postgres/database.ts'
import { key } from './postgres/key.ts'
import { aBlockedLane, aMillion, nothing, stored } from './postgres/stored.ts'
import { inboxOf, namedQueues } from './postgres/work.ts'
import { working } from './postgres/working.ts'

const program = (name: string) => new URL(`postgres/${name}.ts`, import.meta.url)

const load: Load = {
  connections: 64,
  path: '/fusionauth-webhook',
  headers: { 'content-type': 'application/json', authorization: key },
  body: eventBody(eventId(0)).replace(eventId(0), '<1>').replace('"user.delete"', '"user.delete.complete"'),
  row: (n) => [eventId(n)],
}

/** A server program that keeps each event in a database of its own. */
function acknowledging(name: string): Subject {
  return {
    name,
    async open(pace) {
      const kept = await database(name.replaceAll('-', '_'), pace.build)
      const opened = await served(name, program(name), load, [kept.url]).open(pace)
      return {
        measure: () => opened.measure(),
        async close() {
          await opened.close?.()
          await kept[Symbol.asyncDispose]()
        },
      }
    },
  }
}

const fusewireWorker = { program: program('fusewire-worker'), handlerMs: 0, nodes: 1 }
const graphileWorker = { program: program('graphile-worker-worker'), handlerMs: 0, nodes: 1 }
const names = ['nothing stored', '1 M stored', 'a blocked lane of 100 k'] as const
const [empty, million, blocked] = names

/** One call for each request and one handler for each event, beside the queues one would use, on the same server in the same run. */
export const benchmark: Benchmark = {
  title: 'PostgreSQL: acknowledge, drain, grow',
  rounds: 3,
  ms: 2000,
  subjects: [
    { ...acknowledging('fusewire'), compared: true },
    acknowledging('pg-boss'),
    acknowledging('graphile-worker'),
    { ...working('fusewire drain', { ...fusewireWorker, open: inboxOf('fusewire_drain') }), compared: true },
    working('graphile-worker drain', {
      ...graphileWorker,
      open: (build) => namedQueues('graphile_worker_drain', build),
    }),
    working('graphile-worker drain, 500 at once', {
      ...graphileWorker,
      args: ['at once'],
      open: (build) => namedQueues('graphile_worker_at_once', build),
    }),
    working('1 node, 5 ms', { ...fusewireWorker, handlerMs: 5, open: inboxOf('one_node') }),
    working('2 nodes, 5 ms', { ...fusewireWorker, handlerMs: 5, nodes: 2, open: inboxOf('two_nodes') }),
    { ...stored(empty, nothing), compared: true },
    stored(million, aMillion),
    stored(blocked, aBlockedLane),
  ],
  targets: [
    {
      name: 'acknowledged: fusewire / pg-boss',
      value: ratio('requests/s', 'fusewire', 'pg-boss'),
      atLeast: 5,
    },
    {
      name: 'acknowledged: fusewire / graphile-worker',
      value: ratio('requests/s', 'fusewire', 'graphile-worker'),
      atLeast: 7,
    },
    {
      name: 'drained: fusewire / graphile-worker',
      value: ratio('handled/s', 'fusewire drain', 'graphile-worker drain'),
      atLeast: 12,
    },
    {
      name: 'drained: 2 nodes / 1 node',
      value: ratio('handled/s', '2 nodes, 5 ms', '1 node, 5 ms'),
      atLeast: 1.8,
    },
    { name: 'append: 1 M / nothing stored', value: ratio('append µs/event', million, empty), atMost: 1.25 },
    { name: 'claim: 1 M / nothing stored', value: ratio('claim µs/delivery', million, empty), atMost: 1.25 },
    {
      name: 'claim: blocked lane / nothing',
      value: ratio('claim µs/delivery', blocked, empty),
      atMost: 1.25,
    },
  ],
}
