import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import type { Answer } from './answer.ts'

/**
 * Logs every answer but a 200. Answers that anybody can cause are logged once a second, with the number of those left out since, so that
 * nobody can flood the log.
 */
export function createAnswerLogger(log: Log, clock: Clock): (answer: Answer) => void {
  let quietUntil = 0
  let leftOut = 0

  function logAtMostOncePerSecond(
    level: 'warn' | 'error',
    { status, reason }: Answer,
    message: string,
  ): void {
    if (clock.now() < quietUntil) {
      leftOut += 1
      return
    }
    log[level]({ status, reason, ...(leftOut > 0 && { leftOut }) }, message)
    quietUntil = clock.now() + 1000
    leftOut = 0
  }

  return (answer) => {
    const { status, outcome, reason, event, unauthenticated } = answer
    switch (outcome) {
      case 'kept':
      case 'handled':
      case 'duplicate':
        return
      case 'denied':
        return log.warn({ ...event, status, reason }, 'an event was denied')
      case 'failed':
      case 'timeout':
        if (unauthenticated === true)
          return logAtMostOncePerSecond('error', answer, 'a request could not be answered')
        return log.error({ ...event, status, reason }, 'an event was not handled')
      case 'refused':
      case 'unavailable':
        return logAtMostOncePerSecond('warn', answer, 'a request was not accepted')
    }
  }
}
