import { expect, test } from 'vitest'
import { allTypes } from '../../src/cli/known-type.ts'
import { hasTerminal, run, start, startInTerminal } from './command.ts'

test('lists every type, without colour where nobody looks', async () => {
  const { code, out, err } = await run(['events'], { env: { TERM: 'xterm-256color' } })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  for (const type of allTypes)
    expect(out).toMatch(new RegExp(`^${type.replaceAll('.', '\\.')} +(inside|after commit|afterwards) `, 'm'))
  expect(out).not.toContain('\u001b')
})

test.skipIf(!hasTerminal)('has colour in a terminal, and none with NO_COLOR (needs util-linux)', async () => {
  const { out } = await startInTerminal(['events']).ended
  expect(out).toContain('\u001b[1m')
  const { out: plain } = await startInTerminal(['events'], { env: { NO_COLOR: '1' } }).ended
  expect(plain).toContain('user.create')
  expect(plain).not.toContain('\u001b')
})

test('explains one type, with a sample', async () => {
  const { out } = await run(['events', 'jwt.refresh'])
  expect(out).toContain("inside FusionAuth's transaction")
  expect(out).toContain('live credentials')
  expect(out).toContain('"type": "jwt.refresh"')
})

test('gives programs one line for each type', async () => {
  const { out } = await run(['events', '--json'])
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  expect(lines.map(({ type }) => type)).toEqual(allTypes)
  expect(JSON.parse((await run(['events', 'user.create', '--json'])).out)).toMatchObject({
    sent: 'inside',
    sample: { type: 'user.create' },
  })
})

test.each([
  ['user.crate', 'Did you mean user.create?'],
  ['user.two-factor.failed.attemp', 'Did you mean'],
  ['something.else', 'fusewire events lists all there are.'],
])('says about %s what to do', async (type, advice) => {
  const { code, out, err } = await run(['events', type])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(advice)
})

test('reads the names that FusionAuth misprints', async () => {
  expect((await run(['events', 'event.log.create'])).out).toContain('event-log.create')
})

test('whoever stops reading ends it without a word', async () => {
  const running = start(['events', '--json'])
  running.child.stdout?.destroy()
  expect(await running.ended).toMatchObject({ code: 0, err: '' })
})
