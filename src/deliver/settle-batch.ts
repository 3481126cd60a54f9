import type { Engine, Settlement } from '../model/engine.ts'

/** The result of `settleBatch`: `left` must be settled again when the inbox answers; `error` is why that was not possible now. */
export interface Unsettled {
  readonly left: readonly Settlement[]
  readonly error?: unknown
}

/**
 * Settles a batch. An engine settles all of a batch, or rejects and changes nothing. When it rejects although the inbox accepts other writes,
 * the two halves are settled separately, so that one settlement that cannot be stored does not block the others.
 *
 * @param replace Returns what to store instead of a settlement that cannot be stored; undefined gives it up.
 */
export async function settleBatch(
  engine: Engine,
  batch: readonly Settlement[],
  replace: (settlement: Settlement, error: unknown) => Settlement | undefined,
): Promise<Unsettled> {
  try {
    await engine.settle(batch)
    return { left: [] }
  } catch (error) {
    if (!(await acceptsWrites(engine))) return { left: batch, error }
    const [only] = batch
    if (batch.length === 1 && only !== undefined) {
      const replacement = replace(only, error)
      return replacement === undefined ? { left: [] } : settleBatch(engine, [replacement], replace)
    }
    const middle = Math.ceil(batch.length / 2)
    const first = await settleBatch(engine, batch.slice(0, middle), replace)
    if (first.left.length > 0) return { ...first, left: [...first.left, ...batch.slice(middle)] }
    return settleBatch(engine, batch.slice(middle), replace)
  }
}

/** When the inbox is down, smaller batches would only send it more requests. */
function acceptsWrites(engine: Engine): Promise<boolean> {
  return engine.probe().then(
    () => true,
    () => false,
  )
}
