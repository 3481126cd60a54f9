import { expect, test, vi } from 'vitest'
import { consoleLog } from '../../src/model/log.ts'

test('a log that nobody gave says nothing that a terminal obeys', () => {
  const written = ['warn', 'error'] as const
  for (const level of written) {
    const said = vi.spyOn(console, level).mockImplementation(() => {})
    consoleLog[level]({ reason: 'no \u009b2J\u001b]52;c;x\u0007\u202e' }, 'an event was denied')
    expect(said.mock.calls).toEqual([
      ['fusewire: an event was denied {"reason":"no \\u009b2J\\u001b]52;c;x\\u0007\\u202e"}'],
    ])
    said.mockRestore()
  }
})
