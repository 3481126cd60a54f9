import { BlockList, isIP } from 'node:net'

const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')
// Amazon's metadata over IPv6, and IPv4 link-local translated by NAT64.
linkLocal.addAddress('fd00:ec2::254', 'ipv6')
linkLocal.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')

/** Whether an address is link-local or a cloud's metadata service. Nothing is ever sent to one. Recognises IPv4-mapped IPv6 addresses. */
export function isLinkLocal(address: string): boolean {
  return linkLocal.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
