/** The bytes of unpadded base64url, or undefined when the text is not canonical: padding, `+/`, white space, unused bits set in the last character. */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Node decodes leniently; only canonical text encodes back to itself.
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The bytes of padded standard base64, or undefined when the text is not canonical. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
