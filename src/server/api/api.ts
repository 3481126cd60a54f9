import { Hono } from 'hono'
import type { Inbox } from '../../inbox/inbox.ts'
import { describeError } from '../../lib/describe-error.ts'
import { codeOf } from '../../lib/code-of.ts'
import type { Log } from '../../model/log.ts'
import type { AdminEnv } from '../admin.ts'
import type { Live } from '../live.ts'
import { change } from './change.ts'
import { wrong } from './given.ts'
import { look } from './look.ts'
import { Refusal } from './refusal.ts'

/** `/fusewire/api`: the inbox over HTTP. `inbox` is undefined where the webhook keeps nothing. */
export function api(inbox: Inbox | undefined, live: Live, log: Log): Hono<AdminEnv> {
  function kept(): Inbox {
    if (inbox !== undefined) return inbox
    throw new Refusal(404, 'noInbox', "This webhook keeps nothing: its inbox is 'none'.")
  }

  return new Hono<AdminEnv>()
    .route('/', look(kept, live))
    .route('/', change(kept, log))
    .onError((error) => {
      if (error instanceof Refusal) return error.toResponse()
      if (codeOf(error) === 'FW_OPTION') return wrong(error.message).toResponse()
      log.error({ error: describeError(error) }, 'the admin listener could not answer')
      return new Refusal(503, 'unavailable', 'The inbox does not answer.').toResponse()
    })
}
