import { parseArgs } from 'node:util'
import { chaos } from './sqlite.ts'

/** `npm run chaos -- sqlite --kills 200` */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { kills: { type: 'string', default: '200' } },
})

const [engine] = positionals
if (engine !== 'sqlite') {
  console.error('Which engine? npm run chaos -- sqlite --kills 200')
  process.exit(2)
}

const verdict = await chaos({
  kills: Number(values.kills),
  progress: (kills) => {
    if (kills % 20 === 0) console.log(`${kills} kills`)
  },
})
console.log(
  `acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, repeated ${verdict.repeated}; the plain handler ran again ${verdict.again} times`,
)
process.exitCode = verdict.lost === 0 && verdict.repeated === 0 ? 0 : 1
