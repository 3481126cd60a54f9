import { type Benchmark, ratio, type Subject } from './lib/benchmark.ts'
import { timed } from './lib/timed.ts'
import { fusewire } from './verify/fusewire.ts'
import { withJose } from './verify/jose.ts'
import { type Algorithm, keyPair, messages, type Verify } from './verify/message.ts'
import { withNodeCrypto } from './verify/node-crypto.ts'

const algorithms: readonly Algorithm[] = ['HS256', 'RS256', 'ES256', 'Ed25519']

/** The whole proof of a signed event: token, claims, SHA-256 of a 2 KB body, and the body parsed. */
export const benchmark: Benchmark = {
  title: 'Verify a signed event of 2 KB',
  rounds: 60,
  ms: 40,
  subjects: algorithms.flatMap(subjectsOf),
  targets: algorithms.map((algorithm) => ({
    name: `${algorithm}: fusewire / node:crypto`,
    value: ratio('per second', `${algorithm} fusewire`, `${algorithm} node:crypto`),
    atLeast: 0.9,
  })),
}

function subjectsOf(algorithm: Algorithm): readonly Subject[] {
  const { signing, trusted } = keyPair(algorithm)
  const signed = messages(signing)
  const subject = (name: string, prepare: () => Verify | Promise<Verify>) =>
    timed(`${algorithm} ${name}`, async () => {
      const verify = await prepare()
      return (n) => {
        const message = signed[n % signed.length]
        return message && verify(message)
      }
    })
  return [
    subject('fusewire', () => fusewire(trusted)),
    subject('node:crypto', () => withNodeCrypto(algorithm, trusted)),
    subject('jose', () => withJose(algorithm, trusted)),
  ]
}
