import { parseArgs } from 'node:util'
import { chaos as onPostgres } from './postgres.ts'
import { whyNoShim } from '../support/preload.ts'
import { cutPower } from './power.ts'
import { soak as soakOf } from './soak.ts'
import { chaos as onSqlite } from './sqlite.ts'

const usage = `npm run chaos -- sqlite --kills 200
npm run chaos -- sqlite --power 50
npm run chaos -- postgres --faults 100
npm run chaos -- soak --minutes 30 [--engine postgres] [--rate 300]

sqlite: kills, poison events, outcomes that cannot be stored, replay, prune and erase beside the load, full and slow disks, wrong clocks, and
restarts under a Java-like sender. postgres: the same without disks and restarts (the disk is the server's own), and with faults of nodes,
server and network. Either runs for about half a minute a fault.`

/** What must be 0 of a verdict, as it is printed. */
const mustBeZero = {
  lost: 'lost',
  repeated: 'repeated',
  overtaken: 'overtaken',
  innocent: 'innocent dead letters',
  uncaught: 'uncaught errors',
  late: 'late answers',
  askedInVain: 'gates asked in vain',
  cutOff: 'cut off by a restart',
  wronglyPruned: 'wrongly pruned',
  stuck: 'stuck',
} as const
type Count = keyof typeof mustBeZero
const counts = Object.keys(mustBeZero) as Count[] // Its keys.

/** What grows by less than this each minute has come to a level. */
const mostGrowth = 0.01

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '200' },
    power: { type: 'string' },
    faults: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '30' },
    engine: { type: 'string', default: 'sqlite' },
    rate: { type: 'string', default: '300' },
  },
})

switch (positionals[0]) {
  case 'sqlite':
    process.exitCode =
      values.power === undefined ? await sqlite(Number(values.kills)) : await power(Number(values.power))
    break
  case 'postgres':
    process.exitCode = await postgres(Number(values.faults))
    break
  case 'soak':
    process.exitCode = await soak(Number(values.minutes), values.engine, Number(values.rate))
    break
  default:
    console.error(usage)
    process.exitCode = 2
}

async function sqlite(kills: number): Promise<number> {
  const reason = whyNoShim()
  if (reason !== undefined) console.log(`without full and slow disks and wrong clocks: ${reason}`)
  const verdict = await onSqlite({ kills, progress: everyTwenty('kills') })
  return pronounce(verdict)
}

function pronounce(
  verdict: { readonly [count in Count]?: number } & {
    readonly faults: Readonly<Record<string, number>>
    readonly acknowledged: number
    readonly again: number
  },
): number {
  for (const [fault, times] of Object.entries(verdict.faults)) console.log(`${fault}: ${times} times`)
  const counted = counts.filter((name) => verdict[name] !== undefined)
  const bad = counted.map((name) => `${mustBeZero[name]} ${verdict[name]}`)
  console.log(`acknowledged ${verdict.acknowledged}, ${bad.join(', ')}`)
  console.log(`handlers that may repeat ran again ${verdict.again} times`)
  return counted.every((name) => verdict[name] === 0) ? 0 : 1
}

/** Cuts the power: what was written and not synced is gone. */
async function power(cuts: number): Promise<number> {
  const reason = whyNoShim()
  if (reason !== undefined) {
    console.error(reason)
    return 2
  }
  const verdict = await cutPower({ cuts, progress: everyTwenty('cuts') })
  console.log(`acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, repeated ${verdict.repeated}`)
  return verdict.lost === 0 && verdict.repeated === 0 ? 0 : 1
}

async function postgres(faults: number): Promise<number> {
  return pronounce(await onPostgres({ faults, progress: everyTwenty('faults') }))
}

function everyTwenty(what: string): (count: number) => void {
  return (count) => {
    if (count % 20 === 0) console.log(`${count} ${what}`)
  }
}

async function soak(minutes: number, engine: string, rate: number): Promise<number> {
  if (engine !== 'sqlite' && engine !== 'postgres') {
    console.error(usage)
    return 2
  }
  let told = 0
  const { answers, acknowledged, lost, growth } = await soakOf({
    engine,
    minutes,
    rate,
    fromMinute: Math.min(3, minutes / 2),
    sampleEveryMs: 5_000,
    progress(minute, usage) {
      if (minute < told) return
      told = Math.floor(minute) + 1
      const figures = Object.entries(usage).map(([name, value]) => `${name} ${figure(value)}`)
      console.log(`minute ${Math.floor(minute)}: ${figures.join(', ')}`)
    },
  })
  console.log(
    `answers: ${Object.entries(answers)
      .map(([status, times]) => `${status} ${times} times`)
      .join(', ')}`,
  )
  for (const [name, { last, perMinute }] of Object.entries(growth)) {
    const verdict = perMinute < mostGrowth ? '✓' : '✗'
    console.log(`${verdict} ${name}: ${figure(last)}, grows by ${(perMinute * 100).toFixed(2)} % a minute`)
  }
  console.log(`acknowledged ${acknowledged}, lost ${lost}`)
  return lost === 0 && Object.values(growth).every(({ perMinute }) => perMinute < mostGrowth) ? 0 : 1
}

function figure(value: number): string {
  return value < 1e5 ? String(value) : `${(value / 1e6).toFixed(1)} MB`
}
