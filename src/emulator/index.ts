/**
 * FusionAuth's event system on a port of this machine, for development and tests.
 *
 * @module fusewire/emulator
 */
export { emulate } from './emulate.ts'
export type { Attempted, ConnectOptions, EmulateOptions, Emulator, Outcome } from './emulator.ts'
export type { Overrides } from '../events/samples/overrides.ts'
export type { Kickstart } from './kickstart.ts'
export type { Receiver } from './system/event-sender.ts'
export type { Fault } from './system/faults.ts'
export type { Level } from './system/level.ts'
