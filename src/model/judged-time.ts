const hourMs = 60 * 60_000

/** If the clock is further than this ahead of the judged time, it may be wrong. */
const clockToleranceMs: number = hourMs
/** After this much running time such a clock is trusted nevertheless, so that an inbox without new events still prunes. */
export const doubtLimitMs: number = 24 * hourMs

/**
 * The time by which an inbox decides that an event is old. The machine's clock may be wrong at start, and events must not be deleted or set
 * aside because of one wrong clock. So this time advances while a process runs, and jumps ahead only to the newest `createInstant`, which comes
 * from FusionAuth's clock. It is never later than the machine's clock.
 */
export interface JudgedTime {
  /** Epoch ms; 0 as long as no time is confirmed, so that no event is old. */
  at(now: number): number
  /** Call when an event with this `createInstant` came from FusionAuth. */
  saw(createInstant: number, now: number): void
  /** How far the clock is ahead of the confirmed time, in ms, when that is more than an hour; otherwise 0. */
  doubted(now: number): number
  state(): JudgedState
}

/** What an engine stores across restarts. */
export interface JudgedState {
  /** Undefined as long as no time is confirmed. */
  readonly at: number | undefined
  /** For how much running time the clock has been ahead, in ms. */
  readonly doubtMs: number
}

/** @param running Returns ms that pass only while this process runs. */
export function judgedTime({ at, doubtMs }: JudgedState, running: () => number): JudgedTime {
  let judged = at
  let doubted = doubtMs
  let lookedAt = running()

  function moveOn(now: number): void {
    const ranMs = Math.max(0, running() - lookedAt)
    lookedAt += ranMs
    if (judged !== undefined) judged = Math.min(now, judged + ranMs)
    if (judged !== undefined && now - judged <= clockToleranceMs) doubted = 0
    else doubted += ranMs
    if (doubted < doubtLimitMs) return
    judged = now
    doubted = 0
  }

  return {
    at(now) {
      moveOn(now)
      return judged ?? 0
    },
    saw(createInstant, now) {
      moveOn(now)
      // An event of the last hour, by the judged time, shows that the clock, which is ahead of it, is wrong.
      if (judged === undefined || createInstant >= judged - clockToleranceMs) doubted = 0
      if (judged === undefined || createInstant > judged) judged = Math.min(now, createInstant)
    },
    doubted(now) {
      moveOn(now)
      const aheadMs = judged === undefined ? 0 : now - judged
      return aheadMs > clockToleranceMs ? aheadMs : 0
    },
    state: () => ({ at: judged, doubtMs: doubted }),
  }
}
