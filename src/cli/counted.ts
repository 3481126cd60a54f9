/** 1,234,567. */
export function counted(number: number): string {
  return number.toLocaleString('en')
}

/** `1 event`, `2 events`. */
export function amount(number: number, one: string, more: string): string {
  return `${counted(number)} ${number === 1 ? one : more}`
}
