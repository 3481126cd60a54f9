import { describe, expect, test } from 'vitest'
import { sign } from 'fusewire/testing'
import { readCaptured } from '../../src/cli/verify/captured.ts'
import { explain } from '../../src/cli/verify/explain.ts'
import { type Answer, handled } from '../../src/receive/answer/answer.ts'
import { bodySteps, decisionSteps, headerSteps } from '../../src/receive/receive.ts'
import { runSteps, type Step } from '../../src/receive/run-steps.ts'
import { signature } from '../../src/receive/auth/signature.ts'
import { textOf } from '../docs/pages.ts'

const namesOf = (steps: readonly { readonly name: string }[]) => steps.map(({ name }) => name)
const all = [...headerSteps, ...bodySteps, ...decisionSteps]

test('docs/lifecycle.md names the steps of receiving in the order in which they run', () => {
  const drawn = [...textOf('docs/lifecycle.md').matchAll(/^ *└▶ (\w+(?: \w+)?)/gm)].map(([, name]) => name)
  expect(drawn).toEqual(namesOf(all))
})

test('fusewire verify explains exactly the steps that need neither gates nor an inbox', async () => {
  const secret = 'a secret that both of them know well'
  const body = '{"event":{"type":"test"}}'
  const request = [
    'POST /hook HTTP/1.1',
    'Content-Type: application/json',
    `X-FusionAuth-Signature-JWT: ${sign(body, { secret })}`,
    '',
    body,
  ].join('\r\n')
  const { steps } = await explain(await readCaptured(Buffer.from(request)), signature({ secret }))
  expect(namesOf(steps)).toEqual([...namesOf([...headerSteps, ...bodySteps]), 'fields'])
})

describe('running steps', () => {
  type Result = Answer | undefined | Promise<Answer | undefined>
  const run = (results: readonly (() => Result)[]) => {
    const begun: string[] = []
    const steps: readonly Step<string, undefined, undefined, Answer>[] = results.map((result, index) => ({
      name: `${index}`,
      run: result,
    }))
    return { begun, result: runSteps(steps, undefined, undefined, (name) => void begun.push(name)) }
  }

  test('ends with the first answer, and begins no later step', () => {
    const { begun, result } = run([() => undefined, () => handled, () => undefined])
    expect({ begun, result }).toEqual({ begun: ['0', '1'], result: handled })
  })

  test('waits for a step only where it gives a promise, and then goes on', async () => {
    const { begun, result } = run([() => undefined, async () => undefined, () => undefined, () => handled])
    expect(begun).toEqual(['0', '1'])
    expect(await result).toBe(handled)
    expect(begun).toEqual(['0', '1', '2', '3'])
  })

  test('rejects when a step does', async () => {
    const { begun, result } = run([async () => Promise.reject(new Error('broken')), () => handled])
    await expect(result).rejects.toThrow('broken')
    expect(begun).toEqual(['0'])
  })
})
