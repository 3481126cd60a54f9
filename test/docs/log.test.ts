import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, textOf } from './pages.ts'

test('docs/observe.md lists every message that the log may get', () => {
  const messages = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !/^src\/(emulator|testing)\//.test(file))
    .flatMap((file) => messagesIn(readFileSync(join(root, file), 'utf8')))
  expect(messages.length).toBeGreaterThan(40)
  const page = textOf('docs/observe.md')
  expect(messages.filter((message) => !page.includes(beginningOf(message)))).toEqual([])
})

/** What a call of a log, or of a function that calls one with its last argument, says; and the texts of a table of messages. */
function messagesIn(source: string): readonly string[] {
  const calls = source.matchAll(/\b(?:info|warn|error|tell\w*)\(/g)
  const called = [...calls].flatMap(({ index, 0: { length } }) =>
    lastText(argumentsAt(source, index + length)),
  )
  const tables = source.matchAll(/^ {2}\w+: '(a [^']+)',$/gm)
  return [...called, ...[...tables].map(([, message = '']) => message)]
}

/** From after the opening parenthesis to its partner. */
function argumentsAt(source: string, from: number): string {
  let depth = 1
  let end = from
  for (; depth > 0 && end < source.length; end += 1) {
    if (source[end] === '(') depth += 1
    if (source[end] === ')') depth -= 1
  }
  return source.slice(from, end - 1)
}

/** The text at the end of the arguments, if there is one and it is a sentence. */
function lastText(given: string): readonly string[] {
  const [, texts = ''] = /(?:^|,)\s*((?:\+?\s*(?:'[^'\n]*'|"[^"\n]*")\s*)+),?\s*$/.exec(given) ?? []
  const message = [...texts.matchAll(/'([^'\n]*)'|"([^"\n]*)"/g)]
    .map(([, single, double]) => single ?? double)
    .join('')
  return /^[a-z].* /.test(message) ? [message] : []
}

/** An operator looks for the beginning; what follows explains it. */
function beginningOf(message: string): string {
  return message.split(/[:;,.]/, 1)[0] ?? ''
}
