import { test } from 'vitest'
import { type ContractSubject, engineContract } from '../../src/testing/engine-contract.ts'

/** A test for each clause; `lacks` says why this engine cannot be asked some of them. */
export function holdsTheContract(
  subject: () => Promise<ContractSubject & AsyncDisposable>,
  lacks: { readonly sharing?: string; readonly notes?: string } = {},
): void {
  for (const { name, needs, run } of engineContract) {
    const reason = needs === undefined ? undefined : lacks[needs]
    test(name, async (context) => {
      if (reason !== undefined) return context.skip(reason)
      await using on = await subject()
      await run(on)
    })
  }
}
