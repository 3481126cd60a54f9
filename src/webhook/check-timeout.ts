import { longestMs } from '../lib/clock.ts'
import { wrongOption } from '../model/errors.ts'

export function checkTimeout(label: string, ms: number | undefined): void {
  if (ms === undefined || (ms > 0 && ms <= longestMs)) return
  throw wrongOption('timeoutMs', `${label}: timeoutMs must be milliseconds above 0, at most ${longestMs}.`)
}
