/** The requests a server gets: one text with places in it, and rows of values for the places. */
export interface Load {
  readonly connections: number
  readonly path: string
  /** Besides Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>
  /** Here and in the headers `<1>` is the place of a row's first column, `<2>` of its second, and so on. */
  readonly body: string
  /** The columns of the nth request, none with a tab in it, each always equally long. Every subject gets the same rows. */
  readonly row: (n: number) => readonly string[]
}

/** Texts and, between them, the numbers of the columns that belong there. */
export type Template = readonly (string | number)[]

export function template(text: string): Template {
  return text.split(/<(\d)>/).map((piece, index) => (index % 2 === 0 ? piece : Number(piece)))
}

export function fill(pieces: Template, columns: readonly string[]): string {
  let text = ''
  for (const piece of pieces) text += typeof piece === 'string' ? piece : (columns[piece - 1] ?? '')
  return text
}
