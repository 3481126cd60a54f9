import { test } from 'vitest'
import type { ContractSubject } from '../../src/testing/clause.ts'
import { engineContract } from '../../src/testing/engine-contract.ts'
import { tendingContract } from '../../src/testing/tending-contract.ts'

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
}
