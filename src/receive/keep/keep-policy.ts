import type { Redaction } from './redactor.ts'

/** Which events the inbox keeps, and what is taken out of them first. */
export interface KeepPolicy {
  readonly redaction: Redaction
  /** Also events that no handler wants. */
  readonly keepAll: boolean
}
