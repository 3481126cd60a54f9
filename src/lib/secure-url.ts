import { loopbackNames } from './loopback-names.ts'

/** Why a URL is not used: it cannot be parsed, it holds a user or password, or others on the network could read or change what is sent. */
export type UrlFault = 'malformed' | 'credentials' | 'insecure'

/** Parses a URL that must be https, or http to this machine, and hold no user and password. Returns the fault of one that is not. */
export function secureUrl(
  written: string | URL,
  options: { readonly insecureHttp: boolean },
): URL | UrlFault {
  const url = URL.parse(String(written))
  if (url === null) return 'malformed'
  if (url.username !== '' || url.password !== '') return 'credentials'
  if (url.protocol === 'https:') return url
  const isAccepted =
    url.protocol === 'http:' && (options.insecureHttp || loopbackNames.includes(url.hostname))
  return isAccepted ? url : 'insecure'
}
