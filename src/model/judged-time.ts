const hourMs = 60 * 60_000

/** How far the clock may be ahead of the judged time before it is doubted. */
const clockToleranceMs: number = hourMs
/** How long, of running time, a doubted clock has to wait before it is believed: an inbox without new events still prunes. */
export const doubtLimitMs: number = 24 * hourMs

/**
 * The time by which an inbox judges that an event is old. A clock may be wrong at start, and nothing is deleted or set aside on the word of
 * one clock. So this time moves on as long as a process runs, and jumps ahead only to what the newest `createInstant`, which is FusionAuth's
 * clock, confirms. It is never later than the inbox's own clock.
 */
export interface JudgedTime {
  /** Epoch ms; 0 when nothing has confirmed any time yet, so that nothing is old. */
  at(now: number): number
  /** An event with this `createInstant` came from FusionAuth. */
  saw(createInstant: number, now: number): void
  /** How far the clock is ahead of what is confirmed, in ms, when that is more than an hour; otherwise 0. */
  doubted(now: number): number
  state(): JudgedState
}

/** What an engine keeps across restarts. */
export interface JudgedState {
  /** Undefined when nothing has confirmed any time yet. */
  readonly at: number | undefined
  /** For how much running time the clock has been doubted, in ms. */
  readonly doubtMs: number
}

/** `running` gives ms that pass only while this process runs. */
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
      // An event of this hour that does not confirm the clock contradicts it.
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
