import { lookup as resolve, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { isLinkLocal } from '../../lib/is-link-local.ts'

/**
 * Where the emulator may post to. A webhook's URL comes through an API, so without this anybody who reaches the emulator could make it
 * talk to the developer's network: loopback is open, other hosts only by name (`allowTargets`), link-local and cloud metadata never.
 */
export interface Targets {
  /** Why a host of a URL must not be posted to, or nothing. Names are judged by `lookup`, when their addresses are known. */
  refusal(hostname: string): string | undefined
  /** For net.connect: hands out only addresses that may be posted to. */
  readonly lookup: LookupFunction
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Makes the rule from the hosts, names or addresses, that are allowed besides loopback. */
export function targets(allowed: readonly string[]): Targets {
  const names = new Set(allowed.map((host) => bare(host).toLowerCase()))

  function refusalOf(host: string, address: string): string | undefined {
    // BlockList looks inside IPv4-mapped IPv6 addresses by itself.
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
        else handOver(first, callback)
      })
    },
  }
}

function handOver(one: LookupAddress, callback: Parameters<LookupFunction>[2]): void {
  callback(null, one.address, one.family)
}

/** Without the brackets a URL puts around an IPv6 address. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1')
