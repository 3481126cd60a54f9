/** SQL: whether handler `h` wants an event. Decides like `wants` of the model. */
export function wantsEvent(event: string): string {
  return `
    h.abandoned is null
    and (h.types is null or ${event}.type = any (h.types))
    and (h.tenants is null or ${event}.tenant = any (h.tenants))
    and (h.applications is null or ${event}.applications && h.applications)`
}

/** SQL: adds a delivery of each event in `stored` to the intake of every handler that wants the event. */
export function fanOut(schema: string): string {
  return `
  insert into ${schema}.intake (handler, position, created, lane)
  select h.id, s.position, s.created, case when h.ordered then coalesce(s.lane, s.own_lane) else s.own_lane end
  from stored s join ${schema}.handlers h
    on ${wantsEvent('s')}`
}
