import { wrongOption } from '../model/errors.ts'

/** A misspelled word must not silently mean the default. */
export function checkChoice(
  label: string,
  option: string,
  given: string | undefined,
  words: readonly string[],
): void {
  if (given === undefined || words.includes(given)) return
  throw wrongOption(option, `${label}: ${option} must be '${words.join("' or '")}'.`)
}
