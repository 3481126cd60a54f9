import { wrongOption } from '../model/errors.ts'

export function checkFunction(label: string, name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongOption(name, `${label}: the last argument must be a function.`)
}
