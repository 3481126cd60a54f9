import type { Engine } from '../../src/model/engine.ts'

/** An engine whose leases end so soon that a chaos run need not wait half a minute for those of each process it kills. */
export function shortLeases<E extends Engine>(engine: E, leaseMs: number): E {
  return {
    ...engine,
    claim: (wants, _workersMs, suspectsBeside) => engine.claim(wants, leaseMs, suspectsBeside),
    renew: (leases) => engine.renew(leases, leaseMs),
  }
}
