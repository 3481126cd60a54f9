export interface Stats {
  readonly events: number
  /** Per subscription, in order of name. */
  readonly handlers: readonly HandlerStats[]
}

export interface HandlerStats {
  readonly handler: string
  /** Waiting, leased or parked behind another of its lane. */
  readonly pending: number
  readonly dead: number
  /** When the oldest pending one was received, epoch ms. */
  readonly oldestPendingAt?: number
  /** Epoch ms: it gets no deliveries since then, because nobody had run it for 7 days. */
  readonly abandonedAt?: number
}

/** Everything at a glance. */
export interface Overview extends Stats {
  readonly handlers: readonly HandlerOverview[]
  /** Most frequent first. */
  readonly types: readonly TypeOverview[]
  /** Of the store, free space in it not counted. */
  readonly bytes: number
  /** Set aside: conflicts, stale and quarantined ones. */
  readonly aside: number
  /** Processes that gave a sign of life in the last two minutes. */
  readonly nodes: readonly Node[]
}

export interface TypeOverview {
  readonly type: string
  readonly events: number
  /** Of these, received within the last hour. */
  readonly lastHour: number
}

export interface HandlerOverview extends HandlerStats {
  /** No node that is there runs it. Only when that lasts for 7 days does it get no deliveries: `abandonedAt`. */
  readonly abandoned: boolean
  /** Lanes whose first delivery fails, longest first, at most 20. */
  readonly blocked: readonly BlockedLane[]
}

export interface BlockedLane {
  /** Absent: a delivery without a lane. */
  readonly lane?: string
  /** Epoch ms: it has failed since then without a success. */
  readonly since: number
  /** Deliveries in it, the failing one included. */
  readonly pending: number
}

/** A process that works on the inbox. */
export interface Node {
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms. Set by the inbox. */
  readonly seenAt?: number
  /** Handlers it runs. */
  readonly handlers: readonly string[]
}

/** How long a node counts as there after its last beat, which is every 30 s. */
export const nodeOutlivesMs = 120_000
