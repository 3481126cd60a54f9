import { Failure } from './failure.ts'
import { printableJson } from '../lib/printable.ts'
import { joined, padded, rendered, type Text, text, widthOf } from './text.ts'

/** Prints a line of the result, on stdout. */
export function print(line: Text): void {
  process.stdout.write(`${rendered(line, process.stdout)}\n`)
}

/** Prints a line that is not part of the result, on stderr: warnings, errors, progress. */
export function note(line: Text): void {
  process.stderr.write(`${rendered(line, process.stderr)}\n`)
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  printJsonText(jsonOf(value))
}

/** Prints a line that is JSON already. */
export function printJsonText(json: string): void {
  process.stdout.write(`${printableJson(json)}\n`)
}

/** JSON.stringify recurses, and an event may be nested half a million levels deep. */
export function jsonOf(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    throw new Failure(1, text`It is nested too deep to be shown; fusewire inbox export gives its bytes.`, {
      cause: error,
    })
  }
}

/** Prints rows in columns. The first row holds the names of the columns. */
export function printTable(rows: readonly (readonly (string | number | Text)[])[]): void {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
    }
  }
  for (const row of rows) {
    print(
      joined(
        row.map((cell, column) =>
          column === row.length - 1 ? text`${cell}` : padded(cell, widths[column] ?? 0),
        ),
        '  ',
      ),
    )
  }
}
