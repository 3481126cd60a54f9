import { Failure } from './failure.ts'
import { printableJson } from '../lib/printable.ts'
import { joined, padded, rendered, type Text, text, widthOf } from './text.ts'

/** A line of what was asked for. */
export function print(line: Text): void {
  process.stdout.write(`${rendered(line, process.stdout)}\n`)
}

/** A line about it: warnings, errors, what is going on. */
export function note(line: Text): void {
  process.stderr.write(`${rendered(line, process.stderr)}\n`)
}

/** A value for a program: one line. */
export function printJson(value: unknown): void {
  printJsonText(jsonOf(value))
}

/** The same, of JSON that is there already. */
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

/** Rows in columns, the first row their names. */
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
