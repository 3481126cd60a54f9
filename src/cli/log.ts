import { isObject } from '../lib/json-object.ts'
import type { Log } from '../model/log.ts'
import type { Observer } from '../model/observer.ts'
import { outcomeLabel } from '../telemetry/labels.ts'
import { print, printJson } from './print.ts'
import { joined, padded, type Style, styled, type Text, text } from './text.ts'

type Level = keyof Log

/** Lines of JSON on stdout, as pino writes them. */
export const jsonLog: Log = logBy((level, fields, message) => {
  printJson({ level, time: Date.now(), msg: message, ...fields })
})

/** Readable lines on stdout. */
export const plainLog: Log = logBy((level, fields, message) => {
  const said = Object.entries(fields).map(
    ([name, value]) => text`${name}=${isObject(value) ? JSON.stringify(value) : String(value)}`,
  )
  print(text`${clock()} ${styled(styles[level], message)} ${styled('dim', joined(said, ' '))}`)
})

function logBy(write: (level: Level, fields: object, message: string) => void): Log {
  return {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  }
}

/** Logs every request and every attempt, without bodies. */
export function traffic(log: Log, json: boolean): Observer {
  return {
    answered({ status, outcome, reason, event }, tookMs) {
      if (json) return log.info({ status, outcome, reason, ...event, tookMs: Math.round(tookMs) }, 'answered')
      const style = status < 300 ? 'green' : 'red'
      line(style, status, outcome, event === undefined ? (reason ?? '') : `${event.type} ${event.id}`, tookMs)
    },
    attempted({ handler, attempt, event: { type, key } }, end, tookMs) {
      const outcome = outcomeLabel(end)
      const error = typeof end === 'object' && 'failure' in end ? end.failure?.message : undefined
      const fields = { handler, attempt, outcome, error, type, id: key.id, tookMs: Math.round(tookMs) }
      if (json) return log.info(fields, 'attempted')
      line(
        error === undefined ? 'dim' : 'red',
        '  →',
        outcome,
        `${handler}, attempt ${attempt}${error === undefined ? '' : `: ${error}`}`,
        tookMs,
      )
    },
  }
}

function line(style: Style, mark: string | number, outcome: string, about: string, tookMs: number): void {
  print(
    text`${clock()} ${styled(style, text`${mark} ${padded(outcome, 11)}`)} ${about} ${styled('dim', text`${tookMs.toFixed(0)} ms`)}`,
  )
}

function clock(): Text {
  return styled('dim', new Date().toTimeString().slice(0, 8))
}

const styles: Readonly<Record<Level, Style>> = { info: 'bold', warn: 'yellow', error: 'red' }
