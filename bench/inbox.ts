import { type Benchmark, figure, growth, ratio, type Subject } from './lib/benchmark.ts'
import type { Build } from './lib/build.ts'
import { served } from './lib/served.ts'
import { disk } from './inbox/disk.ts'
import { blockLane, drained } from './inbox/drained.ts'
import { filled } from './inbox/filled.ts'
import { signedLoad } from './inbox/load.ts'
import { stored } from './inbox/stored.ts'

const program = (name: string) => new URL(`inbox/${name}.ts`, import.meta.url)
/** One inbox for all that is measured beside a million events. A comparison has none. */
let million: Promise<string> | undefined
const aMillion = (quick: boolean, build: Build) => (million ??= filled(quick ? 1_000 : 1_000_000, build))

const besideAMillion: Subject = {
  name: 'fusewire 32, 1 M stored',
  open: async (pace) =>
    served(besideAMillion.name, program('fusewire'), signedLoad(32), [
      await aMillion(pace.quick, pace.build),
    ]).open(pace),
}

export const benchmark: Benchmark = {
  title: 'SQLite inbox: acknowledge signed events of 2 KB, deliver them, grow',
  rounds: 3,
  ms: 2000,
  subjects: [
    ...[32, 64].flatMap((connections) =>
      ['fusewire', 'least', 'one-commit'].map((name) => ({
        ...served(`${name} ${connections}`, program(name), signedLoad(connections)),
        compared: name === 'fusewire' && connections === 32,
      })),
    ),
    besideAMillion,
    { ...drained('1,000 users', 40_000), compared: true },
    drained('1,000 users while a lane is parked', 40_000, undefined, { each: blockLane }),
    drained('1,000 users beside a parked lane', 40_000, undefined, {
      async before(engine, webhook, quick) {
        await blockLane(engine, quick)
        await webhook.drain()
      },
    }),
    drained('one user', 8_000, 'one user'),
    { ...stored('nothing stored', (_, build) => filled(0, build)), compared: true },
    stored('100 k stored', (quick, build) => filled(quick ? 1_000 : 100_000, build)),
    stored('1 M stored', aMillion),
    disk('the disk'),
  ],
  targets: [
    { name: 'fusewire / least, 32', value: ratio('requests/s', 'fusewire 32', 'least 32'), atLeast: 0.6 },
    { name: 'fusewire / least, 64', value: ratio('requests/s', 'fusewire 64', 'least 64'), atLeast: 0.6 },
    {
      name: 'fusewire / one commit each, 32',
      value: ratio('requests/s', 'fusewire 32', 'one-commit 32'),
      atLeast: 3,
    },
    {
      name: 'fusewire / one commit each, 64',
      value: ratio('requests/s', 'fusewire 64', 'one-commit 64'),
      atLeast: 3,
    },
    { name: 'p99 ms at 32', value: figure('p99 ms', 'fusewire 32'), atMost: 10 },
    { name: 'p99 ms at 32, 1 M stored', value: figure('p99 ms', besideAMillion.name), atMost: 25 },
    { name: 'drained of 1,000 users', value: figure('handled/s', '1,000 users'), atLeast: 20_000 },
    { name: 'drained of one user', value: figure('handled/s', 'one user'), atLeast: 3_000 },
    {
      name: 'drained freely / while a lane is parked',
      value: ratio('handled/s', '1,000 users', '1,000 users while a lane is parked'),
      atMost: 1.5,
    },
    {
      name: 'drained freely / beside a parked lane',
      value: ratio('handled/s', '1,000 users', '1,000 users beside a parked lane'),
      atMost: 1.2,
    },
    {
      name: 'append: 1 M / nothing stored',
      value: ratio('append µs/event', '1 M stored', 'nothing stored'),
      atMost: 1.5,
    },
    {
      name: 'claim: 1 M / nothing stored',
      value: ratio('claim µs/delivery', '1 M stored', 'nothing stored'),
      atMost: 1.2,
    },
    { name: 'memory: last round / the one before', value: growth('resident MB', 'fusewire 64'), atMost: 1.1 },
  ],
}
