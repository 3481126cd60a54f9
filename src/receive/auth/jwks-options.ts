import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { secureUrl, type UrlFault } from '../../lib/secure-url.ts'
import { wrongOption } from '../../model/errors.ts'

/**
 * Keys fetched from a JWKS: kept 5 minutes, then renewed in the background; used up to 24 hours when they cannot be renewed. Give the `kid`
 * of the key to trust, several while you rotate, or `anyKid: true`.
 */
export type JwksOptions = {
  /** https, or http to localhost, 127.0.0.1 or [::1]. FusionAuth serves `/.well-known/jwks.json`. */
  jwks: string | URL
  /** Lets the keys come over http from elsewhere: whoever is on the way can then sign. Default: false. */
  insecureHttp?: boolean
} & ({ kid: OneOrMore<string>; anyKid?: never } | { anyKid: true; kid?: never })

/** @throws FW_OPTION */
export function jwksUrl({ jwks, insecureHttp = false }: JwksOptions): URL {
  const url = secureUrl(jwks, { insecureHttp })
  if (typeof url === 'string') throw wrongOption('jwks', `signature: ${urlFaults[url]}`)
  return url
}

const urlFaults: Readonly<Record<UrlFault, string>> = {
  malformed: 'jwks is not a URL.',
  credentials: 'jwks has a user name in it. The keys are public; leave it out.',
  insecure:
    'jwks must be https (http only to localhost, 127.0.0.1 or [::1]): over http, anybody on the network path could replace the keys and sign. insecureHttp: true accepts that.',
}

/** The kids whose keys are trusted. @throws FW_OPTION */
export function trustedKids({ kid, anyKid }: JwksOptions): ReadonlySet<string> | 'any' {
  if (anyKid === true && kid === undefined) return 'any'
  const kids = kid === undefined ? [] : asList(kid)
  if (kids.length > 0 && kids.every((one) => typeof one === 'string' && one !== '')) return new Set(kids)
  throw wrongOption(
    'kid',
    'signature: name the kid of the webhook’s signing key (FusionAuth: Settings → Key Master). A JWKS also holds keys that sign user tokens. anyKid: true trusts all of them.',
  )
}
