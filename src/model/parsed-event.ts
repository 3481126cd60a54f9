/** An event as it was parsed. `id` and `createInstant` are always set; every other member is as the sender wrote it. */
export interface ParsedEvent {
  readonly type: string
  readonly id: string
  /** Epoch ms; 0 when the sender gave none. */
  readonly createInstant: number
  readonly tenantId?: unknown
  readonly [member: string]: unknown
}
