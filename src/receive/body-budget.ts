/** How many bytes of bodies may be in memory. */
export interface BodyBudget {
  /** Of one body. */
  readonly bodyLimit: number
  /** Of all bodies that are being read or handled in this process. */
  readonly inFlightLimit: number
  /** Bytes in memory now. */
  inFlight: number
}
