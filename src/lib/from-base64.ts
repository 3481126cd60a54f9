/** The bytes of unpadded base64url, or undefined for any other spelling: padding, `+/`, white space, spare bits in the last character. */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Node decodes leniently; only the one canonical spelling encodes back to itself.
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The bytes of padded standard base64, or undefined for any other spelling. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
