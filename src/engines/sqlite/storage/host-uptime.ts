import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { type Clock, systemClock, type Uptime } from '../../../lib/clock.ts'

/** How long the host has been up, the same for all its processes. Setting the host's clock does not change it. */
export function hostUptime(clock: Clock): Uptime {
  return clock.uptime?.() ?? { ms: Math.round(uptime() * 1_000), boot: (boot ??= readBootNumber()) }
}

/** Whether the clock advances with the host's uptime. A test's clock may stand still. */
export function followsHostUptime(clock: Clock): boolean {
  return clock === systemClock || clock.uptime !== undefined
}

let boot: number | undefined

/** Differs from boot to boot on Linux: 48 bits of a random id. 0 on other systems. */
function readBootNumber(): number {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')
    return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) || 0
  } catch {
    return 0
  }
}
