/** Counts of an inbox. */
export interface Stats {
  /** Events that the inbox knows, also those whose body is gone. What was set aside is not counted. */
  readonly events: number
  /** Per subscription, in order of name. */
  readonly handlers: readonly HandlerStats[]
}

/** Counts of one handler's deliveries. */
export interface HandlerStats {
  /** The handler's name. */
  readonly handler: string
  /** Waiting, leased or parked behind another of its lane. */
  readonly pending: number
  /** Dead letters. */
  readonly dead: number
  /** When the oldest pending one was received, epoch ms. */
  readonly oldestPendingAt?: number
  /** Epoch ms: it gets no deliveries since then, because nobody had run it for 7 days. */
  readonly abandonedAt?: number
}

/** Everything at a glance. Counted in steps while the inbox goes on working, so two numbers may be of different moments. */
export interface Overview extends Stats {
  /** In order of name. */
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

/** How many events of one type there are. */
export interface TypeOverview {
  /** As FusionAuth sent it. */
  readonly type: string
  /** Events of this type. */
  readonly events: number
  /** Of these, received within the last hour. */
  readonly lastHour: number
}

/** What an operator asks of one handler. */
export interface HandlerOverview extends HandlerStats {
  /** No node that is there runs it. Only when that lasts for 7 days does it get no deliveries: `abandonedAt`. */
  readonly abandoned: boolean
  /** Lanes whose first delivery fails, longest first, at most 20. */
  readonly blocked: readonly BlockedLane[]
}

/** A lane that a failing delivery holds up. */
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
  /** Made up at each start of a process. */
  readonly id: string
  /** The name of its machine. */
  readonly host: string
  /** Its process id there. */
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
