import type { Fields } from '../fields.ts'

/** The response to an API call. For 401, 404 and deletions FusionAuth sends no body. */
export interface ApiResponse {
  readonly status: number
  readonly body?: Fields | undefined
}

export function ok(body?: Fields): ApiResponse {
  return { status: 200, body }
}

export const notFound: ApiResponse = { status: 404 }

/** Thrown inside a transaction: it is rolled back, and the caller gets this response. */
export class ApiError extends Error {
  readonly answer: ApiResponse

  constructor(answer: ApiResponse) {
    super(`refused with ${answer.status}`)
    this.answer = answer
  }
}

export function notFoundError(): ApiError {
  return new ApiError(notFound)
}

export function generalError(code: string, message: string, status = 400): ApiError {
  return new ApiError({ status, body: { fieldErrors: {}, generalErrors: [{ code, message }] } })
}

/** Collects the errors of a request in FusionAuth's format. Codes that FusionAuth does not document follow its pattern. */
export class Problems {
  readonly #fields = new Map<string, { readonly code: string; readonly message: string }[]>()

  /** @param what The code in the brackets: blank, duplicate, invalid, couldNotConvert. */
  add(field: string, what: string, message: string): void {
    const errors = this.#fields.get(field) ?? []
    errors.push({ code: `[${what}]${field}`, message })
    this.#fields.set(field, errors)
  }

  blank(field: string): void {
    this.add(field, 'blank', `You must specify the [${field}] property.`)
  }

  /** The 400 with the errors collected. Return it, instead of throwing, from a transaction whose events are to be sent nevertheless. */
  answer(): ApiResponse | undefined {
    if (this.#fields.size === 0) return undefined
    return { status: 400, body: { fieldErrors: Object.fromEntries(this.#fields), generalErrors: [] } }
  }

  throwIfAny(): void {
    const answer = this.answer()
    if (answer !== undefined) throw new ApiError(answer)
  }
}
