import { isFields } from '../fields.ts'
import type { Transaction } from '../system/event-system.ts'
import type { ApiResponse } from './api-response.ts'
import type { Call } from './route.ts'

/** FusionAuth's own message. */
const rolledBack: ApiResponse = {
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

/** Runs a call's change as one transaction. Responds 504 when the answers of the receivers roll it back. */
export async function inTransaction(
  call: Call,
  make: (tx: Transaction) => ApiResponse,
): Promise<ApiResponse> {
  const { eventInfo } = call.body
  const info = isFields(eventInfo) ? eventInfo : call.info
  const { committed, result, settled } = await call.state.events.runTransaction(make, info)
  call.transactions.push({ committed, settled })
  return committed ? result : rolledBack
}
