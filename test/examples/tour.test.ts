import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { claims } from '../../examples/todo/tour/claims.ts'
import { openStage } from '../../examples/todo/tour/stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-tour-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each(claims)('$says', async ({ show }) => {
  await using stage = await openStage(join(folder, `${crypto.randomUUID()}.db`))
  const holds = await show(stage)
  expect(holds, stage.said.join('\n')).toBe(true)
})
