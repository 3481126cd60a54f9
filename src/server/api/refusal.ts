/** An answer that is no success, from wherever it is noticed. */
export class Refusal extends Error {
  readonly status: 400 | 403 | 404 | 410 | 413 | 415 | 503
  readonly code: string

  constructor(status: Refusal['status'], code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }

  /** In the form of every other error. */
  toResponse(): Response {
    const errors = [{ code: `[${this.code}]`, message: this.message }]
    return Response.json({ errors }, { status: this.status })
  }
}
