import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { wrongOption } from '../model/errors.ts'

/** `read` may look, with personal data masked; `operate` may also change the inbox and see what is masked. */
export type Scope = 'read' | 'operate'

/** A token that the admin listener accepts. Only the hash of its secret is kept. */
export interface AdminToken {
  /** The log names it with each action that the token was used for. */
  readonly name: string
  /** What its holder may do. */
  readonly scope: Scope
  /** SHA-256 of the token, in hex. */
  readonly sha256: string
}

/**
 * A token to configure, from the secret that its holder sends as `Authorization: Bearer …`. Only the SHA-256 of the secret is kept.
 *
 * @throws FW_OPTION for a secret that has not 16 to 1,024 printable characters without spaces.
 * @example
 * const token = adminToken('ada', 'operate', newAdminSecret())
 */
export function adminToken(name: string, scope: Scope, secret: string): AdminToken {
  if (!/^[\x21-\x7e]{16,1024}$/.test(secret)) {
    throw wrongOption(
      'secret',
      `The secret of admin token ${name} must have 16 to 1,024 printable characters without spaces; newAdminSecret() makes one.`,
    )
  }
  return { name, scope, sha256: hashOf(secret).toString('hex') }
}

/**
 * Makes a secret for `adminToken`: 32 random bytes as 43 characters of base64url.
 *
 * @example
 * console.log(newAdminSecret())
 */
export function newAdminSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Finds the token of a secret that was sent. It takes the same time whether or not there is one. */
export function createTokenFinder(tokens: readonly AdminToken[]): (sent: string) => AdminToken | undefined {
  const known = tokens.map((token) => ({ token: checked(token), hash: Buffer.from(token.sha256, 'hex') }))
  if (known.length === 0)
    throw wrongOption('admin.tokens', 'The admin listener needs a token: admin: { tokens: [adminToken(…)] }.')
  return (sent) => {
    const hash = hashOf(sent)
    const matching = known.filter((one) => timingSafeEqual(one.hash, hash))
    return matching[0]?.token
  }
}

function checked(token: AdminToken): AdminToken {
  const { name, scope, sha256 } = token
  if (!/^[\x21-\x7e]{1,64}$/.test(name)) {
    throw wrongOption('name', 'An admin token needs a name of 1 to 64 printable characters without spaces.')
  }
  if (scope !== 'read' && scope !== 'operate')
    throw wrongOption('scope', `Admin token ${name}: scope is 'read' or 'operate'.`)
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw wrongOption(
      'sha256',
      `Admin token ${name}: sha256 must be 64 hex digits; adminToken() makes it from the secret.`,
    )
  }
  return token
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
