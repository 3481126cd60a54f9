/** Every answer of the admin listener that is no success: its status, and its message unless the place knows better. */
export const refusals = {
  badRequest: {
    status: 400,
    message: 'A value of the request is unknown, missing or wrong: the message names it.',
  },
  duplicateHeader: { status: 400, message: 'A header was sent more than once.' },
  invalidJSON: { status: 400, message: 'The body must be a JSON object.' },
  notAuthorized: { status: 401, message: 'Send Authorization: Bearer TOKEN.' },
  foreignOrigin: { status: 403, message: 'Requests from web pages of other origins are not allowed.' },
  scope: { status: 403, message: 'This token may look, not change or reveal.' },
  noEvent: { status: 404, message: 'The inbox has no event with this id.' },
  noInbox: { status: 404, message: "This webhook keeps nothing: its inbox is 'none'." },
  notFound: { status: 404, message: 'There is nothing here.' },
  gone: { status: 410, message: 'The body of this event is gone.' },
  tooLarge: { status: 413, message: 'The body is too large.' },
  mediaType: { status: 415, message: 'Send application/json.' },
  misdirected: {
    status: 421,
    message:
      'This listener is not called by that Host. Name it in admin.hosts (--admin-name) if it should be.',
  },
  tooManyStreams: { status: 503, message: 'Too many clients read the stream already.' },
  unavailable: { status: 503, message: 'The inbox does not answer.' },
} as const

export type RefusalCode = keyof typeof refusals

/** Thrown where a request cannot be answered with success. */
export class Refusal extends Error {
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string = refusals[code].message) {
    super(message)
    this.code = code
  }

  /** In the form of every other error. */
  toResponse(): Response {
    const errors = [{ code: `[${this.code}]`, message: this.message }]
    return Response.json({ errors }, { status: refusals[this.code].status })
  }
}
