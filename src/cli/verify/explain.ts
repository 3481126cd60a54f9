import type { IncomingMessage } from 'node:http'
import { catalogue, isEventType } from '../../events/catalogue.ts'
import { missingPath } from '../../events/missing-path.ts'
import { NodeRequest } from '../../http/node-request.ts'
import { systemClock } from '../../lib/clock.ts'
import type { ParsedEvent } from '../../model/registered-handler.ts'
import { type Answer, isAnswer } from '../../receive/answer/answer.ts'
import { authenticate } from '../../receive/auth/authenticate.ts'
import { admitted, type Authenticator, seal } from '../../receive/auth/authenticator.ts'
import { readBody } from '../../receive/read-body.ts'
import { parse } from '../../receive/parse.ts'
import type { Captured } from './captured.ts'
import { bodyHint, claimed, credentialHint, tokenWords, whatWasSigned } from './hints.ts'

/** One step of receiving, and how it ended. */
export interface Step {
  readonly name: string
  readonly verdict: 'holds' | 'fails' | 'not checked'
  /** What was found. */
  readonly says: string
  /** What is likely behind it, and what to do. */
  readonly hint?: string
}

export interface Explained {
  /** What the receiver would answer, gates and inbox aside. */
  readonly status: number
  readonly steps: readonly Step[]
  readonly event?: ParsedEvent
}

/** Takes a request through the receiver's own steps, and says of each what it found. */
export async function explain(
  captured: Captured,
  authenticator: Authenticator | undefined,
): Promise<Explained> {
  const { request, response } = captured
  const incoming = new NodeRequest(request, response)
  await authenticator?.prepare(silent, systemClock)
  const steps: Step[] = []

  const admission = await authenticate(incoming, authenticator ?? everybody)
  if (isAnswer(admission)) return failed([...headSteps(request, admission)], admission)
  steps.push(...headSteps(request), credentials(request, authenticator))

  const reading = readBody(incoming, { bodyLimit: 2 ** 30, inFlightLimit: 2 ** 31, inFlight: 0 })
  captured.hangUp()
  const body = await reading
  if (isAnswer(body)) return failed(steps, body, 'body', bodyHint(request))
  steps.push({ name: 'body', verdict: 'holds', says: `${body.bytes.length} bytes` })

  const digests = authenticator === undefined ? claimed(request) : admission.digests
  if (digests.length > 0) {
    const wrong = digests.some((digest) => digest !== body.sha256())
    if (wrong) {
      const step = {
        name: 'signed body',
        verdict: 'fails',
        says: 'the body is not the one that was signed',
        ...hintOf(whatWasSigned(digests, body)),
      } as const
      return { status: 401, steps: [...steps, step] }
    }
    steps.push({ name: 'signed body', verdict: 'holds', says: 'its SHA-256 is the one in the token' })
  }

  const parsed = parse(body)
  if (isAnswer(parsed)) return failed(steps, parsed, 'event')
  const { event } = parsed
  steps.push({ name: 'event', verdict: 'holds', says: `${event.type} ${event.id}` }, promises(event))
  return { status: 200, steps, event }
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

const everybody = seal({
  name: 'everybody',
  cost: 0,
  headers: [],
  prepare: async () => {},
  admit: () => admitted,
})

/** The steps that need the headers alone, up to the one that failed. */
function headSteps(request: IncomingMessage, answer?: Answer): readonly Step[] {
  const found: readonly (readonly [name: string, statuses: readonly number[], says: string])[] = [
    ['method', [405], `${request.method}`],
    ['framing', [400], 'every header that matters came once'],
    ['media type', [415], 'application/json'],
    ['credentials', [401, 503], ''],
  ]
  const at = found.findIndex(([, statuses]) => answer !== undefined && statuses.includes(answer.status))
  const holding = found
    .slice(0, at === -1 ? 3 : at)
    .map(([name, , says]) => ({ name, verdict: 'holds', says }) as const)
  const [name] = found[at] ?? []
  if (name === undefined || answer === undefined) return holding
  return [
    ...holding,
    { name, verdict: 'fails', says: answer.reason ?? '', ...hintOf(credentialHint(request, answer)) },
  ]
}

function credentials(request: IncomingMessage, authenticator: Authenticator | undefined): Step {
  if (authenticator !== undefined) return { name: 'credentials', verdict: 'holds', says: authenticator.name }
  const says = 'no key was given to check them with'
  return {
    name: 'credentials',
    verdict: 'not checked',
    says,
    ...hintOf(
      tokenWords(request) &&
        `${tokenWords(request)}. Give --signing-secret, --public-key or --jwks with --kid to verify it.`,
    ),
  }
}

/** Whether the paths are there that handlers of this type are promised. */
function promises(event: ParsedEvent): Step {
  const name = 'fields'
  if (!isEventType(event.type)) {
    return {
      name,
      verdict: 'not checked',
      says: 'a type this version does not list; it is kept like any other',
    }
  }
  const missing = missingPath(event)
  if (missing === undefined) return { name, verdict: 'holds', says: 'what the type promises is there' }
  const { transactional } = catalogue[event.type]
  const hint = transactional
    ? 'A gate is not asked, and answers 500; without a gate it is kept, and handlers do not run.'
    : 'It is kept, and handlers do not run.'
  return { name, verdict: 'fails', says: `${missing} is missing`, hint }
}

function failed(steps: readonly Step[], answer: Answer, name?: string, hint?: string): Explained {
  if (name === undefined) return { status: answer.status, steps }
  return {
    status: answer.status,
    steps: [...steps, { name, verdict: 'fails', says: answer.reason ?? '', ...hintOf(hint) }],
  }
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint }
}
