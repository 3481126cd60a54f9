import { emulate } from '../emulator/emulate.ts'
import type { Emulator, EmulateOptions } from '../emulator/emulator.ts'
import { codeOf } from '../lib/code-of.ts'
import { missing } from './failure.ts'
import { text } from './text.ts'

/** Starts the emulator, or says why that cannot be, and which flag says another port. */
export async function startEmulator(options: EmulateOptions, portFlag: string): Promise<Emulator> {
  try {
    return await emulate(options)
  } catch (error) {
    // It says in its own words that a port is taken; whatever else it refuses was written wrong.
    const cause = error instanceof Error ? error.cause : undefined
    if (error instanceof Error && codeOf(cause) !== undefined)
      throw missing(text`${error.message} ${portFlag} says another.`, { cause })
    throw error
  }
}
