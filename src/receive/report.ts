import type { Clock } from '../lib/clock.ts'
import type { Log } from '../model/log.ts'
import type { Answer } from './answer.ts'

/**
 * Tells the log what was not accepted and why. What anybody can provoke is told once a second, with the number that was left out, so that
 * the log cannot be flooded.
 */
export function reporter(log: Log, clock: Clock): (answer: Answer) => void {
  let quietUntil = 0
  let leftOut = 0
  return ({ status, outcome, reason, event }) => {
    switch (outcome) {
      case 'kept':
      case 'handled':
      case 'duplicate':
        return
      case 'denied':
        return log.warn({ ...event, status, reason }, 'an event was denied')
      case 'failed':
      case 'timeout':
        return log.error({ ...event, status, reason }, 'an event was not handled')
      case 'refused':
      case 'unavailable':
        if (clock.now() < quietUntil) {
          leftOut += 1
          return
        }
        log.warn({ status, reason, ...(leftOut > 0 && { leftOut }) }, 'a request was not accepted')
        quietUntil = clock.now() + 1000
        leftOut = 0
    }
  }
}
