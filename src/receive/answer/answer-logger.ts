import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import type { Answer } from './answer.ts'

/**
 * Tells the log what was not accepted and why. What anybody can provoke is told once a second, with the number that was left out, so that
 * the log cannot be flooded.
 */
export function createAnswerLogger(log: Log, clock: Clock): (answer: Answer) => void {
  let quietUntil = 0
  let leftOut = 0

  /** Once a second, with how many were left out since. */
  function tellSome(level: 'warn' | 'error', { status, reason }: Answer, message: string): void {
    if (clock.now() < quietUntil) {
      leftOut += 1
      return
    }
    log[level]({ status, reason, ...(leftOut > 0 && { leftOut }) }, message)
    quietUntil = clock.now() + 1000
    leftOut = 0
  }

  return (answer) => {
    const { status, outcome, reason, event, stranger } = answer
    switch (outcome) {
      case 'kept':
      case 'handled':
      case 'duplicate':
        return
      case 'denied':
        return log.warn({ ...event, status, reason }, 'an event was denied')
      case 'failed':
      case 'timeout':
        if (stranger === true) return tellSome('error', answer, 'a request could not be answered')
        return log.error({ ...event, status, reason }, 'an event was not handled')
      case 'refused':
      case 'unavailable':
        return tellSome('warn', answer, 'a request was not accepted')
    }
  }
}
