import { hash } from 'node:crypto'

/** The bytes of a request's body, complete and unparsed. */
export interface Body {
  readonly bytes: Uint8Array
  /** In standard base64, as tokens hold it. Computed at the first call. */
  sha256(): string
}

/** Joins the chunks of a body. A single one is not copied. */
export function createBody(chunks: readonly Uint8Array[]): Body {
  const [first] = chunks
  return new HashedBody(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
}

class HashedBody implements Body {
  readonly bytes: Uint8Array
  #digest: string | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  sha256(): string {
    return (this.#digest ??= hash('sha256', this.bytes, 'base64'))
  }
}
