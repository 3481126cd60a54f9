/** The person whose events are to be erased. */
export interface Person {
  /** FusionAuth's id of the user, in upper or lower case. */
  readonly userId: string
  /** Only in this tenant. Default: in all tenants. */
  readonly tenantId?: string
}
