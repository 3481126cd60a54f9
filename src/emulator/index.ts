export {
  emulate,
  type Attempted,
  type ConnectOptions,
  type EmulateOptions,
  type Emulator,
  type Outcome,
  type Overrides,
} from './emulate.ts'
export type { Kickstart } from './kickstart.ts'
export type { Receiver } from './system/courier.ts'
export type { Fault } from './system/faults.ts'
export type { Level } from './system/levels.ts'
