import type { FusionAuth } from './fusionauth.ts'
import type { Person } from './people.ts'

/** What anybody does once in FusionAuth to hear of deleted users: create the webhook, enable its events in the tenant. */
export async function registerWebhook(
  fusionauth: FusionAuth,
  url: string,
  webhookKey: string,
): Promise<void> {
  const { body } = await fusionauth.call('GET', '/api/tenant')
  const { tenants } = body as { tenants: readonly [{ readonly id: string }] } // There always is one.
  const tenantId = tenants[0].id
  await expectOk(
    fusionauth.call('POST', '/api/webhook', {
      webhook: {
        url,
        tenantIds: [tenantId],
        headers: { Authorization: webhookKey },
        eventsEnabled: { 'user.delete': true, 'user.delete.complete': true },
        connectTimeout: 1000,
        readTimeout: 2000,
      },
    }),
  )
  await expectOk(
    fusionauth.call('PATCH', `/api/tenant/${tenantId}`, {
      tenant: {
        eventConfiguration: {
          events: {
            'user.delete': { enabled: true, transactionType: 'AbsoluteMajority' },
            'user.delete.complete': { enabled: true, transactionType: 'None' },
          },
        },
      },
    }),
  )
}

/** Whether an earlier start has done it: `fusewire dev` starts the application again when its source changes. */
export async function isRegistered(fusionauth: FusionAuth, url: string): Promise<boolean> {
  const { body } = await fusionauth.call('GET', '/api/webhook')
  const { webhooks = [] } = body as { webhooks?: readonly { readonly url: string }[] } // As FusionAuth answers.
  return webhooks.some((webhook) => webhook.url === url)
}

export async function createUser(fusionauth: FusionAuth, { id, email, name }: Person): Promise<void> {
  const user = { email, firstName: name, password: crypto.randomUUID() }
  await expectOk(fusionauth.call('POST', `/api/user/${id}`, { user }))
}

async function expectOk(answering: ReturnType<FusionAuth['call']>): Promise<void> {
  const { status, body } = await answering
  if (status !== 200) throw new Error(`FusionAuth answered ${status}: ${JSON.stringify(body)}`)
}
