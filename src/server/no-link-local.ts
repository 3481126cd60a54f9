import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isLinkLocal } from '../lib/is-link-local.ts'
import { type FusewireError, wrongOption } from '../model/errors.ts'

/** Resolves a name for `net.connect` to addresses that are not link-local. It checks at each connection, since DNS may change. */
export const noLinkLocal: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, [])
    const open = addresses.filter(({ address }) => !isLinkLocal(address))
    const [first] = open
    if (first === undefined) return callback(refusal(), [])
    return options.all === true ? callback(null, open) : callback(null, first.address, first.family)
  })
}

/** Throws for a host that is itself a link-local address: for addresses no lookup is made. */
export function refuseLinkLocal(hostname: string): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0 && isLinkLocal(address)) throw refusal()
}

function refusal(): FusewireError {
  return wrongOption('to', 'forward: the host has a link-local address, and nothing is ever sent there.')
}
