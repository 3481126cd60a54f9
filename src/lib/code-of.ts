/** The code of any thrown value, ours or a look-alike from another copy of the package. */
export function codeOf(error: unknown): string | undefined {
  try {
    if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
    const { code } = error // Read once: a getter may answer differently the second time.
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined // Whatever was thrown has a getter that throws.
  }
}
