import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { type Clock, systemClock, type Uptime } from '../../../lib/clock.ts'

/** How long the host has been up: a clock that nobody can set, and the same for all its processes. */
export function uptimeOf(clock: Clock): Uptime {
  return clock.uptime?.() ?? { ms: Math.round(uptime() * 1_000), boot: (boot ??= bootNumber()) }
}

/** Whether the clock advances with the host's uptime. A test's clock may stand still. */
export function followsHost(clock: Clock): boolean {
  return clock === systemClock || clock.uptime !== undefined
}

let boot: number | undefined

/** Tells one boot from another, on Linux: 48 bits of a random id. Elsewhere 0. */
function bootNumber(): number {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')
    return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) || 0
  } catch {
    return 0
  }
}
