/** Text for a column of the inbox: at most 128 printable ASCII characters. The stored body keeps the original. */
export function toColumnText(text: string): string {
  return text.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?')
}
