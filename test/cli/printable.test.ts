import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printable, printableJson } from '../../src/lib/printable.ts'
import { shellQuote } from '../../src/cli/shell-quote.ts'
import { joined, rendered, text } from '../../src/cli/text.ts'
import { execFileSync } from 'node:child_process'

const hostile = {
  'clears the screen': '\u001b[2J',
  'writes the clipboard': '\u001b]52;c;cHduZWQ=\u0007',
  'is a link': '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\',
  'C1 CSI': '\u009b2J',
  'returns the carriage': 'good\rbad',
  'turns the direction': '\u202eevil',
  'has no width': 'pay\u200bpal',
  'is half a character': '\ud800',
  'ends the line': 'one\ntwo\u2028three\u0085four',
  'is deleted': '\u007f',
  'hides behind a letter': 'a\u{e0041}\u{fe0f}\u034f',
}

test.each(Object.entries(hostile))('what %s is shown, not obeyed', (_, value) => {
  expect(printable(value)).toMatch(/^[\x20-\x7e]+$/)
  expect(printable(value)).toContain('\\u{')
})

test('a megabyte in one line becomes 500 characters', () => {
  expect(printable('x'.repeat(1_000_000))).toBe(`${'x'.repeat(500)}…`)
  expect(printable('\u001b'.repeat(1_000_000)).length).toBeLessThanOrEqual(501)
})

test('leaves what people write as it is', () => {
  for (const name of ['Ada Lovelace', 'Zoë', '李雷', 'ناصر', '🦆', "O'Brien <ada@example.com>"]) {
    expect(printable(name)).toBe(name)
  }
})

test('JSON stays the same value, and nothing in it reaches a terminal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.values(hostile)), (value, bad) => {
      const json = JSON.stringify([value, bad])
      const shown = printableJson(json)
      expect(JSON.parse(shown)).toEqual(JSON.parse(json))
      expect(printable(shown, Infinity)).toBe(shown)
    }),
  )
})

test('a text escapes its values, not its own words, however texts are put together', () => {
  const line = joined([text`a ${'\u001b[2J'}`, 'b\n'], ' · ')
  expect(rendered(line, process.stdout)).toBe('a \\u{1b}[2J · b\\u{a}')
})

test.each([
  '$(touch pwned)',
  '`touch pwned`',
  "'; touch pwned; '",
  '\ntouch pwned\n',
  '--help',
  "''''".repeat(200),
  '',
  'a\\',
  '!!',
])('a shell reads the quoted %j as one word', (value) => {
  const word = rendered(shellQuote(value), process.stdout)
  const words = execFileSync('sh', ['-c', `for word in ${word}; do printf '%s\\n' "$word"; done`], {
    encoding: 'utf8',
  })
  expect(words).toBe(`${printable(value, 100)}\n`)
})
