import type { Log } from '../../src/index.ts'

/** A reminder that nobody delivers, a handler that fails on purpose: what a run says with figures. */
export const silent: Log = { info() {}, warn() {}, error() {} }
