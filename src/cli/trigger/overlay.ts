import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { misused } from '../failure.ts'
import { text } from '../text.ts'

/** Applies assignments such as `user.email=ada@example.com` to an event. A value that is not JSON is taken as text. */
export function overlay(event: object, assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const [, path = '', written = ''] = /^([^=]+)=(.*)$/s.exec(assignment) ?? []
    const steps = path.split('.')
    if (path === '' || steps.includes('')) {
      throw misused(text`--set takes path=value, such as user.email=ada@example.com, not ${assignment}.`)
    }
    const forbidden = steps.find((step) => inherited.has(step))
    if (forbidden !== undefined) throw misused(text`--set ${path}: ${forbidden} is no field of an event.`)
    put(event, steps, parseJson(written) ?? written, path)
  }
}

const inherited: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

function put(target: object, steps: readonly string[], value: unknown, path: string): void {
  const [step = '', ...rest] = steps
  if (Array.isArray(target) && !(/^\d+$/.test(step) && Number(step) <= target.length)) {
    throw misused(text`--set ${path}: ${step} is no place in an array of ${target.length}.`)
  }
  if (rest.length === 0) return void Reflect.set(target, step, value)
  const present: unknown = Object.hasOwn(target, step) ? Reflect.get(target, step) : undefined
  const inner = isObject(present) || Array.isArray(present) ? present : {}
  Reflect.set(target, step, inner)
  put(inner, rest, value, path)
}
