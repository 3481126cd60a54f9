/** Functions that undo steps, called in reverse order. Node 22 has no AsyncDisposableStack. */
export class UndoStack {
  readonly #steps: (() => unknown)[] = []

  /** @param undo May return a promise. */
  add(undo: () => unknown): void {
    this.#steps.push(undo)
  }

  /** Calls all of them, one after the other, even if one throws; then rejects with the first error. */
  async undo(): Promise<void> {
    const errors: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
