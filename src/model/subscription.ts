/** A handler as the inbox stores it. Which events it gets is decided when an event is appended. */
export interface Subscription {
  readonly handler: string
  readonly types: readonly string[] | '*'
  /** Only events of these tenants. Canonical, like `EventKey.tenantId`. */
  readonly tenantIds?: readonly string[]
  /** Only events that name one of these applications. */
  readonly applicationIds?: readonly string[]
  /** `none`: deliveries of this handler have no lane. */
  readonly ordering: 'lane' | 'none'
}
