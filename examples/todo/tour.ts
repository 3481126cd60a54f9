import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claims } from './tour/claims.ts'
import { openStage } from './tour/stage.ts'

/* npm run tour: what FusionAuth's documentation says of webhooks, claim by claim, shown on real exchanges. */

const folder = mkdtempSync(join(tmpdir(), 'fusewire-tour-'))
let wrong = 0

for (const { says, show } of claims) {
  await using stage = await openStage(join(folder, `${crypto.randomUUID()}.db`))
  let holds = false
  try {
    holds = await show(stage)
  } catch (error) {
    stage.say(String(error))
  }
  if (!holds) wrong += 1
  console.log(`${holds ? '✓' : '✗'} ${says}\n${stage.said.map((line) => `    ${line}`).join('\n')}\n`)
}

rmSync(folder, { recursive: true })
console.log(`${claims.length - wrong} of ${claims.length} claims hold.`)
process.exitCode = wrong === 0 ? 0 : 1
