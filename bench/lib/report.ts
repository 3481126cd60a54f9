import type { Results, SubjectResult, TargetResult } from './results.ts'

/** The results as text: tables of medians, then each target with its figure. */
export function report({ title, quick, rounds, node, subjects, targets }: Results): string {
  const kind = quick ? 'a quick run, its figures mean nothing' : `medians of ${rounds} rounds`
  const tables = Map.groupBy(subjects, ({ figures }) => Object.keys(figures).join())
  return [
    `${title} (${kind}, node ${node})`,
    ...[...tables.values()].map(table),
    targets.map(line).join('\n'),
  ].join('\n\n')
}

function table(subjects: readonly SubjectResult[]): string {
  const metrics = Object.keys(subjects[0]?.figures ?? {})
  const rows = [
    ['', ...metrics],
    ...subjects.map(({ name, figures }) => [
      name,
      ...Object.values(figures).map(
        ({ median, low, high }) => `${short(median)} (${short(low)}–${short(high)})`,
      ),
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => `  ${row.map(pad).join('   ')}`).join('\n')
}

function line({ name, median, low, high, atLeast, atMost, holds }: TargetResult): string {
  const figure = `${name}: ${short(median)} (${short(low)}–${short(high)})`
  if (atLeast === undefined && atMost === undefined) return `    ${figure}`
  const wanted = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
  return `  ${holds ? '✓' : '✗'} ${figure}, ${wanted}`
}

/** Three digits that count. */
function short(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)))
}
