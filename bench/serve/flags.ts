import { secret } from '../inbox/key.ts'

/** The command line of `fusewire serve` that does what library.ts does, with an admin listener besides. */
export function flags(file: string): readonly string[] {
  process.env['BENCH_SECRET'] = secret
  process.env['BENCH_TOKEN'] = 'a-token-that-nobody-uses-in-this-benchmark'
  const line = `serve --log json --host 127.0.0.1 --port 0 --admin-port 0 --inbox sqlite:${file} --allow-volatile`
  return `${line} --signing-secret env:BENCH_SECRET --admin-token env:BENCH_TOKEN`.split(' ')
}
