import { emulate } from '../emulator/emulate.ts'
import type { Emulator, EmulateOptions } from '../emulator/emulator.ts'
import { codeOf } from '../lib/code-of.ts'
import { missing } from './failure.ts'
import { text } from './text.ts'

/** Starts the emulator. Rejects with a Failure that gives the reason and the flag for another port. */
export async function startEmulator(options: EmulateOptions, portFlag: string): Promise<Emulator> {
  try {
    return await emulate(options)
  } catch (error) {
    // Its message says that the port is taken. Its other errors are about wrong options.
    const cause = error instanceof Error ? error.cause : undefined
    if (error instanceof Error && codeOf(cause) !== undefined)
      throw missing(text`${error.message} ${portFlag} says another.`, { cause })
    throw error
  }
}
