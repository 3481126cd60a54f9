/**
 * Sample events, signed requests, an inbox in memory and a harness for tests of gates and handlers.
 *
 * @module fusewire/testing
 */
export { sign, type SigningAlgorithm, type SigningKey } from '../events/sign.ts'
export { harness, type Harness, type Sent } from './harness.ts'
export { memory } from '../engines/memory/engine.ts'
export { request, type RequestOptions } from './request.ts'
export { sample } from './sample.ts'
export type { Overrides } from '../events/samples/overrides.ts'
