import { isFields } from '../json.ts'
import type { Draft } from '../system/event-system.ts'
import type { Answer } from './answer.ts'
import type { Call } from './route.ts'

/** FusionAuth's words. */
const rolledBack: Answer = {
  status: 504,
  body: {
    generalErrors: [
      {
        code: '[WebhookTransactionException]',
        message:
          'One or more webhooks returned an invalid response or were unreachable. Based on your transaction configuration, your action cannot be completed.',
      },
    ],
  },
}

/** Runs a call's change as one transaction; 504 when its receivers did not let it pass. */
export async function change(call: Call, make: (draft: Draft) => Answer): Promise<Answer> {
  const { eventInfo } = call.body
  const info = isFields(eventInfo) ? eventInfo : call.info
  const { committed, result, settled } = await call.world.events.operate(make, info)
  call.changes.push({ committed, settled })
  return committed ? result : rolledBack
}
