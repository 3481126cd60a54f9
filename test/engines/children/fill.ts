import { sqlite } from '../../../src/engines/sqlite/index.ts'
import { arrival } from '../../../src/testing/arrival.ts'

/** Appends to the inbox named by its argument until it cannot, and prints what was acknowledged. */
const engine = sqlite(process.argv[2] ?? '', { allowVolatile: true })
const acknowledged: string[] = []
try {
  for (let i = 0; ; i++) {
    await engine.append([arrival(String(i), { body: Buffer.alloc(20_000, i) })])
    acknowledged.push(String(i))
  }
} catch (error) {
  console.log(JSON.stringify({ acknowledged, error: String(error) }))
}
