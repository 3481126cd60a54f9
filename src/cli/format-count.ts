/** A number with separators: `1,234,567`. */
export function formatCount(number: number): string {
  return number.toLocaleString('en')
}

/** A number with its noun: `1 event`, `2 events`. */
export function formatAmount(number: number, one: string, more: string): string {
  return `${formatCount(number)} ${number === 1 ? one : more}`
}
