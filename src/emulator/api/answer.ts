import type { Fields } from '../json.ts'

/** What an API call answers. Without a body there is none, as FusionAuth does for 401, 404 and deletions. */
export interface Answer {
  readonly status: number
  readonly body?: Fields | undefined
}

export function ok(body?: Fields): Answer {
  return { status: 200, body }
}

export const notFound: Answer = { status: 404 }

/** Thrown inside a change: it is undone and the caller gets this answer. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`)
    this.answer = answer
  }
}

export function missing(): Refusal {
  return new Refusal(notFound)
}

export function generalError(code: string, message: string, status = 400): Refusal {
  return new Refusal({ status, body: { fieldErrors: {}, generalErrors: [{ code, message }] } })
}

/** Collects what is wrong with a request, in FusionAuth's form. Codes that FusionAuth does not document follow its pattern. */
export class Problems {
  readonly #fields = new Map<string, { readonly code: string; readonly message: string }[]>()

  /** `what` is the code in the brackets: blank, duplicate, invalid, couldNotConvert. */
  add(field: string, what: string, message: string): void {
    const errors = this.#fields.get(field) ?? []
    errors.push({ code: `[${what}]${field}`, message })
    this.#fields.set(field, errors)
  }

  blank(field: string): void {
    this.add(field, 'blank', `You must specify the [${field}] property.`)
  }

  /** The 400 they amount to. Returned instead of thrown, it lets the events out that tell of the call. */
  answer(): Answer | undefined {
    if (this.#fields.size === 0) return undefined
    return { status: 400, body: { fieldErrors: Object.fromEntries(this.#fields), generalErrors: [] } }
  }

  throwIfAny(): void {
    const answer = this.answer()
    if (answer !== undefined) throw new Refusal(answer)
  }
}
