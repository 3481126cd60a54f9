/** The person whose events are to be erased. */
export interface Person {
  readonly userId: string
  /** Only in this tenant. Default: in all tenants. */
  readonly tenantId?: string
}
