/** The CPU time of this process, all its threads, since `process.cpuUsage()` gave `before`: user and system, in ms. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
