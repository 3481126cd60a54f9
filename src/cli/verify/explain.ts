import type { IncomingMessage } from 'node:http'
import { NodeRequest } from '../../http/node-request.ts'
import { systemClock } from '../../lib/clock.ts'
import type { ParsedEvent } from '../../model/parsed-event.ts'
import { type Answer, isAnswer } from '../../receive/answer/answer.ts'
import { type Authenticator, cost, createAuthenticator } from '../../receive/auth/authenticator.ts'
import { type AuthenticatedRequest, createAuthenticatedRequest } from '../../receive/authenticated-request.ts'
import { type BodyStep, bodySteps, type HeaderStep, headerSteps } from '../../receive/receive.ts'
import type { ReadContext } from '../../receive/receive-context.ts'
import { runSteps } from '../../receive/run-steps.ts'
import type { Captured } from './captured.ts'
import { checkFields } from './check-fields.ts'
import type { Finding } from './finding.ts'
import { bodyHint, claimedDigests, credentialHint, tokenWords, whatWasSigned } from './hints.ts'

type StepName = HeaderStep | BodyStep

export interface ExplainedStep extends Finding {
  /** A step of `receive`; `fields` is what gates and handlers check before they run. */
  readonly name: StepName | 'fields'
}

export interface Explained {
  /** The receiver's answer, if gates and the inbox accept the event. */
  readonly status: number
  readonly steps: readonly ExplainedStep[]
  readonly event?: ParsedEvent
}

/** Runs the steps of `receive` that need neither gates nor an inbox on a captured request, and says what each one found. */
export async function explain(
  captured: Captured,
  authenticator: Authenticator | undefined,
): Promise<Explained> {
  const { request, response } = captured
  const incoming = new NodeRequest(request, response)
  await authenticator?.prepare(silent, systemClock)
  const context = createContext(authenticator ?? trustClaims(request))
  const begun: StepName[] = []
  const onStep = (name: StepName) => void begun.push(name)

  const admission = await runSteps(headerSteps, incoming, context, onStep)
  if (isAnswer(admission)) return explainRefusal(begun, admission, { request, authenticator })

  const authenticated = createAuthenticatedRequest(incoming, 0, admission)
  const parsing = runSteps(bodySteps, authenticated, context, onStep)
  captured.hangUp()
  const received = await parsing
  if (isAnswer(received)) return explainRefusal(begun, received, { request, authenticator, authenticated })

  const { event } = received
  const passed = explainPassed(begun, { request, authenticator, authenticated, event })
  return { status: 200, steps: [...passed, { name: 'fields', ...checkFields(event) }], event }
}

/** What is known of the request so far. */
interface Known {
  readonly request: IncomingMessage
  readonly authenticator: Authenticator | undefined
  readonly authenticated?: AuthenticatedRequest
  readonly event?: ParsedEvent
}

/** The last step of those that began is the one that refused. */
function explainRefusal(begun: readonly StepName[], answer: Answer, known: Known): Explained {
  const steps = explainPassed(begun.slice(0, -1), known)
  const hint = hintFor(begun.at(-1), answer, known)
  const refusal = begun.slice(-1).map((name) => ({
    name,
    verdict: 'fails' as const,
    says: answer.reason ?? '',
    ...(hint !== undefined && { hint }),
  }))
  return { status: answer.status, steps: [...steps, ...refusal] }
}

function explainPassed(names: readonly StepName[], known: Known): readonly ExplainedStep[] {
  const { request, authenticator, authenticated, event } = known
  const findings: Readonly<Record<StepName, Finding>> = {
    method: holds(`${request.method}`),
    framing: holds('every header that matters came once'),
    'media type': holds('application/json'),
    credentials: authenticator === undefined ? credentialsNotChecked(request) : holds(authenticator.name),
    body: holds(`${authenticated?.body.bytes.length} bytes`),
    'signed body':
      authenticated?.digests.length === 0
        ? { verdict: 'not checked', says: 'the credentials do not cover the body' }
        : holds('its SHA-256 is the one in the token'),
    event: holds(`${event?.type} ${event?.id}`),
  }
  return names.map((name) => ({ name, ...findings[name] }))
}

function holds(says: string): Finding {
  return { verdict: 'holds', says }
}

function credentialsNotChecked(request: IncomingMessage): Finding {
  const token = tokenWords(request)
  return {
    verdict: 'not checked',
    says: 'no key was given to check them with',
    ...(token !== undefined && {
      hint: `${token}. Give --signing-secret, --public-key or --jwks with --kid to verify it.`,
    }),
  }
}

function hintFor(
  step: StepName | undefined,
  answer: Answer,
  { request, authenticated }: Known,
): string | undefined {
  switch (step) {
    case 'credentials':
      return credentialHint(request, answer)
    case 'body':
      return bodyHint(request)
    case 'signed body':
      return authenticated && whatWasSigned(authenticated.digests, authenticated.body)
    default:
      return undefined
  }
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

function createContext(authenticator: Authenticator): ReadContext {
  return {
    authenticator,
    bodyBudget: { bodyLimit: 2 ** 30, inFlightLimit: 2 ** 31, inFlight: 0 },
    sink: { closed: () => undefined },
    answerWithinMs: Infinity,
    misprints: new Set(),
    clock: systemClock,
    log: silent,
  }
}

/** Without a key: admits the request, and has its body compared with the hash that its token claims. */
function trustClaims(request: IncomingMessage): Authenticator {
  return createAuthenticator({
    name: 'none',
    cost: cost.headers,
    headers: [],
    prepare: async () => {},
    admit: () => ({ admitted: true, digests: claimedDigests(request) }),
  })
}
