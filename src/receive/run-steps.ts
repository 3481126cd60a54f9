import type { Answer } from './answer/answer.ts'

/**
 * One step of receiving. It gives undefined to pass the request on to the next step, or an answer, which ends the request. The last step of
 * a list gives what the list was for.
 */
export interface Step<Name extends string, State, Context, Result> {
  readonly name: Name
  readonly run: (
    state: State,
    context: Context,
  ) => Result | Answer | undefined | Promise<Result | Answer | undefined>
}

/**
 * Runs steps in order until one gives a result.
 *
 * It returns a promise only where a step does: a decision made without waiting cannot overlap with a copy of the event, which spares the
 * SHA-256 of the body that `shareAnswer` finds copies by.
 *
 * @param onStep Called with the name of each step before it runs.
 */
export function runSteps<Name extends string, State, Context, Result>(
  steps: readonly Step<Name, State, Context, Result>[],
  state: State,
  context: Context,
  onStep?: (name: Name) => void,
  from = 0,
): Result | Answer | Promise<Result | Answer> {
  for (let index = from; index < steps.length; index++) {
    const step = steps[index]
    if (step === undefined) break
    onStep?.(step.name)
    const result = step.run(state, context)
    if (result instanceof Promise) {
      return result.then((waited) => waited ?? runSteps(steps, state, context, onStep, index + 1))
    }
    if (result !== undefined) return result
  }
  throw new Error('The last step of a list must give a result.')
}
