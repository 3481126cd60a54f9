import { InvalidArgumentError } from '@commander-js/extra-typings'

/** Reads a whole number of a range. */
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

/** Collects what is given several times. */
export function several(written: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), written]
}

export function none(written: string): 'none' {
  if (written === 'none') return written
  throw new InvalidArgumentError('It can only be none.')
}
