/** A lease's token: the lane finds its row by the primary key, the rest changes with each lease. */
export function leaseToken(lane: string, token: string): string {
  return `${lane}/${token}`
}

export function partsOfToken(text: string): { readonly lane: string; readonly token: string } {
  const [lane = '', token = ''] = text.split('/')
  return { lane, token }
}
