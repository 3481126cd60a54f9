export interface Person {
  readonly name: string
  readonly id: string
  readonly email: string
  readonly todos: readonly string[]
}

export const ada: Person = {
  name: 'Ada',
  id: 'ada00000-0000-4000-8000-000000000001',
  email: 'ada@example.com',
  todos: ['Read the notes on the Engine', 'Write Note G', 'Answer Mr Babbage'],
}

export const bob: Person = {
  name: 'Bob',
  id: 'b0b00000-0000-4000-8000-000000000002',
  email: 'bob@example.com',
  todos: ['Water the plants', 'Buy milk'],
}
