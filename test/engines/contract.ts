import { expect, test } from 'vitest'
import { apiKey, Webhook } from '../../src/index.ts'
import { request } from '../../src/testing/index.ts'
import type { ContractSubject } from '../../src/testing/clause.ts'
import { engineContract } from '../../src/testing/engine-contract.ts'
import { tendingContract } from '../../src/testing/tending-contract.ts'

const apiKeyOfTest = 'a key of more than 16 bytes'

/** A test for each clause; `lacks` says why this engine cannot be asked some of them: all with a need, or one by its name. */
export function holdsTheContract(
  subject: () => Promise<ContractSubject & AsyncDisposable>,
  lacks: Readonly<Record<string, string>> = {},
): void {
  for (const { name, needs, run } of [...engineContract, ...tendingContract]) {
    const reason = lacks[name] ?? (needs === undefined ? undefined : lacks[needs])
    test(name, async (context) => {
      if (reason !== undefined) return context.skip(reason)
      await using on = await subject()
      await run(on)
    })
  }

  test('gives a handler the events of its tenant, whose id need not be a UUID', async () => {
    await using on = await subject()
    const ran: string[] = []
    await using webhook = new Webhook({ authenticate: apiKey(() => apiKeyOfTest), inbox: await on.open() })
    webhook.on('user.delete.complete', { tenantId: 'Acme' }, ({ event }) => void ran.push(event.id))
    for (const tenantId of ['Acme', 'acme', 'other']) {
      const event = { id: tenantId, tenantId }
      const response = await webhook.fetch(request('user.delete.complete', event, { apiKey: apiKeyOfTest }))
      expect(response.status).toBe(200)
    }
    await webhook.drain()
    expect(ran).toEqual(['Acme'])
  })
}
