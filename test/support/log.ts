import type { Log } from 'fusewire'

export interface Line {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** A log that keeps what it was told. */
export interface KeptLog extends Log {
  readonly lines: readonly Line[]
  text(): string
}

export function keptLog(): KeptLog {
  const lines: Line[] = []
  const keep = (level: Line['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  return {
    lines,
    text: () => lines.map((line) => JSON.stringify(line)).join('\n'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
}
