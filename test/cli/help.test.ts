import { describe, expect, test } from 'vitest'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { createProgram } from '../../src/cli/program.ts'
import { run } from './command.ts'

const program = await createProgram(() => true)
const verbs = leaves(program).map(({ path }) => path)

function leaves(
  command: CommandUnknownOpts,
  path: readonly string[] = [],
): { path: readonly string[]; command: CommandUnknownOpts }[] {
  if (command.commands.length === 0) return [{ path, command }]
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]))
}

test('the help lists every verb', async () => {
  const { code, out, err } = await run(['--help'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  for (const { name, summary } of program.commands.map((each) => ({
    name: each.name(),
    summary: each.summary(),
  }))) {
    expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    expect(summary).not.toBe('')
  }
})

test('no verb at all is a mistake, and shows the help', async () => {
  const { code, out, err } = await run([])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('Usage: fusewire')
})

test.each([
  [['help', 'serv'], 'There is no verb serv. fusewire --help lists them.'],
  [['serve', '--prot', '1'], 'fusewire serve --help says more.'],
  [['inbox', 'show'], "missing required argument 'id'. fusewire inbox show --help says more."],
])('%j says where to look', async (args, words) => {
  const { code, out, err } = await run(args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(words)
})

test('an unknown verb gets one sentence', async () => {
  const { code, out, err } = await run(['\u001b[2Jtriger'])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^error: unknown command '\\u\{1b\}\[2Jtriger'.*--help lists the verbs\.\n$/)
})

describe.each(verbs.map((path) => [path.join(' '), path] as const))('fusewire %s', (_, path) => {
  test('explains itself with examples', async () => {
    const { code, out, err } = await run([...path, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`Usage: fusewire ${path.join(' ')}`)
    expect(out).toMatch(/Examples:\n {2}(npx )?fusewire /)
    expect(out).toContain('--json')
  })

  test('refuses a flag it does not know, in one sentence', async () => {
    const { code, out, err } = await run([...path, '--no-such-flag'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^error: unknown option '--no-such-flag'[^\n]*\n$/)
  })
})
