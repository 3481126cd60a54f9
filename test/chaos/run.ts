import { parseArgs } from 'node:util'
import { chaos as onPostgres } from './postgres.ts'
import { cutPower, whyNot } from './power.ts'
import { chaos as onSqlite } from './sqlite.ts'

const usage = `npm run chaos -- sqlite --kills 200
npm run chaos -- sqlite --power 50
npm run chaos -- postgres --faults 100`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '200' },
    power: { type: 'string' },
    faults: { type: 'string', default: '100' },
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
  default:
    console.error(usage)
    process.exitCode = 2
}

async function sqlite(kills: number): Promise<number> {
  const verdict = await onSqlite({ kills, progress: everyTwenty('kills') })
  console.log(
    `acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, repeated ${verdict.repeated}; the plain handler ran again ${verdict.again} times`,
  )
  return verdict.lost === 0 && verdict.repeated === 0 ? 0 : 1
}

/** Cuts the power: what was written and not synced is gone. */
async function power(cuts: number): Promise<number> {
  const reason = whyNot()
  if (reason !== undefined) {
    console.error(reason)
    return 2
  }
  const verdict = await cutPower({ cuts, progress: everyTwenty('cuts') })
  console.log(`acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, repeated ${verdict.repeated}`)
  return verdict.lost === 0 && verdict.repeated === 0 ? 0 : 1
}

async function postgres(faults: number): Promise<number> {
  const verdict = await onPostgres({ faults, progress: everyTwenty('faults') })
  for (const [fault, times] of Object.entries(verdict.faults)) console.log(`${fault}: ${times} times`)
  console.log(
    `acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, repeated ${verdict.repeated}, overtaken ${verdict.overtaken}; ` +
      `the plain handler ran again ${verdict.again} times`,
  )
  return verdict.lost === 0 && verdict.repeated === 0 && verdict.overtaken === 0 ? 0 : 1
}

function everyTwenty(what: string): (count: number) => void {
  return (count) => {
    if (count % 20 === 0) console.log(`${count} ${what}`)
  }
}
