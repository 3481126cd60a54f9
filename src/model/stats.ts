/** Counts of an inbox. */
export interface Stats {
  /** Events in the inbox, including those whose body was deleted, without those that were set aside. */
  readonly events: number
  /** Per subscription, in order of name. */
  readonly handlers: readonly HandlerStats[]
}

/** Counts of one handler's deliveries. */
export interface HandlerStats {
  /** The handler's name. */
  readonly handler: string
  /** Due now or later, leased, or waiting for an earlier delivery of their lane. */
  readonly pending: number
  /** Dead letters. */
  readonly dead: number
  /** When the event of the oldest pending delivery was received, epoch ms. */
  readonly oldestPendingAt?: number
  /** Epoch ms: since then it gets no deliveries, because no process had run it for 7 days. */
  readonly abandonedAt?: number
}

/** Counts of an inbox and the processes that work on it. Counted in steps while the inbox is in use, so two numbers may be of different moments. */
export interface Overview extends Stats {
  /** In order of name. */
  readonly handlers: readonly HandlerOverview[]
  /** Most frequent first. */
  readonly types: readonly TypeOverview[]
  /** Size of the store in bytes, without the free space in it. */
  readonly bytes: number
  /** Events that were set aside: conflicts, stale and quarantined ones. */
  readonly aside: number
  /** Processes that wrote a heartbeat in the last two minutes. */
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

/** The state of one handler. */
export interface HandlerOverview extends HandlerStats {
  /** No running process runs it. After 7 days of that it gets no more deliveries: `abandonedAt`. */
  readonly abandoned: boolean
  /** Lanes whose first delivery fails, longest first, at most 20. */
  readonly blocked: readonly BlockedLane[]
}

/** A lane whose first delivery fails. */
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
  /** A random id, new at each start of a process. */
  readonly id: string
  /** The name of its machine. */
  readonly host: string
  /** Its process id on that machine. */
  readonly pid: number
  /** Epoch ms. */
  readonly startedAt: number
  /** When it wrote its last heartbeat, epoch ms. Set by the inbox. */
  readonly seenAt?: number
  /** Handlers it runs. */
  readonly handlers: readonly string[]
}

/** A process counts as running for this long after its last heartbeat. It writes one every 30 s. */
export const nodeOutlivesMs = 120_000
