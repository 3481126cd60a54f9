import { lookup as resolve } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { isLinkLocal } from '../../lib/is-link-local.ts'

/**
 * The hosts that the emulator may post to. A webhook's URL comes through an API, so without this rule a caller of the emulator could send
 * requests into the developer's network. Loopback is allowed, other hosts only if `allowTargets` names them, link-local addresses and cloud
 * metadata never.
 */
export interface Targets {
  /** Why this host may not be posted to, or undefined. Names are checked by `lookup`, when their addresses are known. */
  refusal(hostname: string): string | undefined
  /** For net.connect: returns only addresses that may be posted to. */
  readonly lookup: LookupFunction
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** @param allowed The hosts, names or addresses, that are allowed besides loopback. */
export function targets(allowed: readonly string[]): Targets {
  const names = new Set(allowed.map((host) => bare(host).toLowerCase()))

  function refusalOf(host: string, address: string): string | undefined {
    // BlockList recognises IPv4-mapped IPv6 addresses.
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (isLinkLocal(address)) return `${address} is link-local and never posted to`
    if (loopback.check(address, family) || names.has(host.toLowerCase()) || names.has(address))
      return undefined
    return `${address} is not loopback; allow the host ${host} to post to it`
  }

  return {
    refusal(hostname) {
      const host = bare(hostname)
      return isIP(host) === 0 ? undefined : refusalOf(host, host)
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, [])
        const refusals = addresses.map(({ address }) => refusalOf(hostname, address))
        const open = addresses.filter((_, index) => refusals[index] === undefined)
        const [first] = open
        if (first === undefined) return callback(new Error(refusals[0] ?? `${hostname} has no address`), [])
        if (options.all === true) callback(null, open)
        else callback(null, first.address, first.family)
      })
    },
  }
}

/** Without the brackets a URL puts around an IPv6 address. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1')
