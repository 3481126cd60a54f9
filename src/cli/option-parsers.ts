import { InvalidArgumentError } from '@commander-js/extra-typings'
import { misused } from './failure.ts'
import { text } from './text.ts'

/** Returns a parser for whole numbers of a range. */
export function wholeNumber(least: number, most: number): (written: string) => number {
  return (written) => {
    const number = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

export const port: (written: string) => number = wholeNumber(0, 65_535)

export function httpUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href
  throw new InvalidArgumentError('Give a URL that begins with http:// or https://.')
}

/** Refuses a URL with user and password: fetch would, with an error that repeats them. */
export function withoutLogin(url: string, option: string): void {
  const { username, password } = new URL(url)
  if (username !== '' || password !== '')
    throw misused(text`${option}: leave user and password out of the URL.`)
}

/** Collects the values of a flag that is given several times. */
export function several(written: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), written]
}

export function none(written: string): 'none' {
  if (written === 'none') return written
  throw new InvalidArgumentError('It can only be none.')
}
