/** What FusionAuth removes from a user before an event carries it. */
type Removed = 'encryptionScheme' | 'factor' | 'password' | 'salt' | 'secret'

/** The type with nothing left out, all the way down: a sample shows every field, and the compiler says when one is forgotten. */
export type Filled<T> = T extends readonly (infer Element)[]
  ? readonly Filled<Element>[]
  : T extends object
    ? { readonly [Key in keyof T as Exclude<Key, Removed>]-?: Filled<Exclude<T[Key], undefined>> }
    : T
