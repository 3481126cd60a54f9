/**
 * FusionAuth's event system on a port of this machine, for development and tests.
 *
 * @module fusewire/emulator
 */
export {
  emulate,
  type Attempted,
  type ConnectOptions,
  type EmulateOptions,
  type Emulator,
  type Outcome,
} from './emulate.ts'
export type { Overrides } from '../events/samples/overrides.ts'
export type { Kickstart } from './kickstart.ts'
export type { Receiver } from './system/courier.ts'
export type { Fault } from './system/faults.ts'
export type { Level } from './system/levels.ts'
