import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { fields, text, whole, without, type Fields } from '../fields.ts'
import type { Key, Row } from '../state/tables.ts'
import { generalError, notFoundError, ok, Problems } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { nameOf, newId, type Stamped } from './resource.ts'
import { get, open, post, put, remove, type Call, type Route } from './route.ts'
import { searchCriteria, equals, matches } from './search-criteria.ts'
import { page } from './page.ts'

/** The cryptographic part of a key. */
type Material = Pick<Key, 'type' | 'algorithm' | 'secret' | 'privateKey' | 'publicKey' | 'certificate'> & {
  readonly length?: number | undefined
}

const generatePair = promisify(generateKeyPair)
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
  'Ed25519',
]
const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** Generates a key. An RSA key can take a second, so this is done before the transaction begins. */
export async function generate(algorithm: string, length = 2048): Promise<Material> {
  if (algorithm.startsWith('HS')) {
    const bytes = Number(algorithm.slice(2)) / 8
    return { type: 'HMAC', algorithm, secret: randomBytes(bytes).toString('base64url') }
  }
  const pair =
    algorithm === 'Ed25519'
      ? await generatePair('ed25519')
      : algorithm.startsWith('RS')
        ? await generatePair('rsa', { modulusLength: length })
        : await generatePair('ec', { namedCurve: curves[algorithm] ?? 'P-256' })
  return asymmetric(pair.publicKey, pair.privateKey, algorithm)
}

function asymmetric(publicKey: KeyObject, privateKey?: KeyObject, algorithm?: string): Material {
  const kind = publicKey.asymmetricKeyType
  const type = kind === 'rsa' ? 'RSA' : kind === 'ec' ? 'EC' : 'OKP'
  return {
    type,
    algorithm,
    length: publicKey.asymmetricKeyDetails?.modulusLength,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ...(privateKey !== undefined && {
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }),
  }
}

async function generateKey(call: Call) {
  const input = fields(call.body['key'])
  const problems = new Problems()
  const algorithm = text(input['algorithm']) ?? ''
  const length = whole(input['length'])
  if (algorithm === '') problems.blank('key.algorithm')
  else if (!algorithms.includes(algorithm)) {
    problems.add('key.algorithm', 'invalid', `The algorithm must be one of ${algorithms.join(', ')}.`)
  } else if (algorithm.startsWith('RS') && (length === undefined || ![2048, 3072, 4096].includes(length))) {
    problems.add('key.length', 'invalid', 'An RSA key needs a length of 2048, 3072 or 4096.')
  }
  problems.throwIfAny()
  return keep(call, await generate(algorithm, length))
}

function importKey(call: Call) {
  const input = fields(call.body['key'])
  try {
    return keep(call, imported(input))
  } catch (error) {
    if (!(error instanceof TypeError || (error instanceof Error && 'code' in error))) throw error
    const problems = new Problems()
    problems.add('key', 'invalid', 'The key could not be read; it must be PEM.')
    problems.throwIfAny()
    throw error
  }
}

function imported(input: Fields): Material {
  const problems = new Problems()
  const secret = text(input['secret'])
  const [privatePem, publicPem, certificate] = [
    input['privateKey'],
    input['publicKey'],
    input['certificate'],
  ].map(text)
  const algorithm = text(input['algorithm'])
  if (algorithm !== undefined && !algorithms.includes(algorithm)) {
    problems.add('key.algorithm', 'invalid', `The algorithm must be one of ${algorithms.join(', ')}.`)
  }
  problems.throwIfAny()
  if (secret !== undefined) return { type: 'HMAC', algorithm: algorithm ?? 'HS256', secret }
  const from =
    publicPem !== undefined
      ? createPublicKey(publicPem)
      : privatePem !== undefined
        ? createPublicKey(privatePem)
        : certificate !== undefined
          ? new X509Certificate(certificate).publicKey
          : undefined
  if (from === undefined) {
    problems.add('key', 'blank', 'A key needs a secret, a privateKey, a publicKey or a certificate.')
    problems.throwIfAny()
    throw notFoundError()
  }
  const privateKey = privatePem === undefined ? undefined : createPrivateKey(privatePem)
  if (from.asymmetricKeyType === 'rsa' && privateKey !== undefined && bits(from) < 2048) {
    problems.add('key.privateKey', 'invalid', 'An RSA key that signs needs at least 2048 bits.')
  }
  problems.throwIfAny()
  return { ...asymmetric(from, privateKey, algorithm ?? usual(from)), certificate }
}

const bits = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0

function usual(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519'
  const curve = key.asymmetricKeyDetails?.namedCurve
  return curve === 'secp384r1' ? 'ES384' : curve === 'secp521r1' ? 'ES512' : 'ES256'
}

function keep(call: Call, material: Material) {
  return inTransaction(call, (tx) => {
    const input = fields(call.body['key'])
    const problems = new Problems()
    const id = newId(call.params['id'] ?? input['id'], 'key.id', problems)
    const others = tx.rows.keys.all()
    if (others.some((key) => key.id === id)) problems.add('key.id', 'duplicate', 'This id is taken.')
    const base: Stamped = { id, insertInstant: tx.now, lastUpdateInstant: tx.now }
    const name = nameOf({ call, tx, input, problems, base }, 'key.name', others)
    const kid = text(input['kid']) ?? newKid(material)
    if (others.some((key) => key.kid === kid)) problems.add('key.kid', 'duplicate', 'This kid is taken.')
    problems.throwIfAny()
    const key: Key = { ...base, ...material, name, kid, issuer: text(input['issuer']) }
    tx.rows.keys.put(key)
    return ok({ key: shown(key) })
  })
}

/** As FusionAuth's are: base64url of 20 bytes. */
export function newKid(material: Pick<Material, 'publicKey'>): string {
  return createHash('sha1')
    .update(material.publicKey ?? randomBytes(20))
    .digest('base64url')
}

/** Private material never leaves. */
function shown(key: Key): Fields {
  return { ...without(key, 'secret', 'privateKey'), hasPrivateKey: key.privateKey !== undefined }
}

const lookup = (call: Call): Key => {
  const key = call.state.rows.keys.get(call.params['id'] ?? '')
  if (key === undefined) throw notFoundError()
  return key
}

/** Only the name of a key can be changed. */
function rename(call: Call) {
  return inTransaction(call, (tx) => {
    const before = lookup(call)
    const problems = new Problems()
    const input = fields(call.body['key'])
    const base: Stamped = {
      id: before.id,
      insertInstant: before.insertInstant ?? tx.now,
      lastUpdateInstant: tx.now,
    }
    const name = nameOf({ call, tx, input, problems, base }, 'key.name', tx.rows.keys.all())
    problems.throwIfAny()
    const key = { ...before, ...base, name }
    tx.rows.keys.put(key)
    return ok({ key: shown(key) })
  })
}

function removeKey(call: Call) {
  return inTransaction(call, (tx) => {
    const { id } = lookup(call)
    const users: readonly Row[] = [
      ...tx.rows.webhooks.all().filter((one) => one.signatureConfiguration.signingKeyId === id),
      ...tx.rows.webhooks.all().filter((one) => one.sslCertificateKeyId === id),
      ...[...tx.rows.tenants.all(), ...tx.rows.applications.all()].filter((one) =>
        Object.values(fields(one.jwtConfiguration)).includes(id),
      ),
    ]
    if (users.length > 0) throw generalError('[inUse]', `The key is used by [${users[0]?.id}].`)
    tx.rows.keys.remove(id)
    return ok()
  })
}

function search(call: Call) {
  const criteria = searchCriteria(call)
  const rows = call.state.rows.keys
    .all()
    .filter((key) => matches(criteria['name'], key.name))
    .filter((key) => equals(criteria['type'], key.type) && equals(criteria['algorithm'], key.algorithm))
  const result = page(rows, criteria, ['algorithm', 'id', 'insertInstant', 'name', 'type'], 'name ASC')
  return ok({ keys: result.rows.map(shown), total: result.total })
}

/** The public keys of asymmetric keys. HMAC keys have none. */
function jwks(call: Call) {
  const keys = call.state.rows.keys.all().flatMap((key) => {
    if (key.publicKey === undefined) return []
    const jwk = createPublicKey(key.publicKey).export({ format: 'jwk' })
    const certificate = key.certificate === undefined ? undefined : new X509Certificate(key.certificate).raw
    const hash = (name: string) =>
      createHash(name)
        .update(certificate ?? '')
        .digest('base64url')
    return {
      alg: key.algorithm,
      ...jwk,
      kid: key.kid,
      use: 'sig',
      ...(certificate !== undefined && {
        x5c: [certificate.toString('base64')],
        x5t: hash('sha1'),
        'x5t#S256': hash('sha256'),
      }),
    }
  })
  return ok({ keys })
}

export const keys: readonly Route[] = [
  open(get('/.well-known/jwks.json', jwks)),
  post('/api/key/generate/:id?', generateKey),
  post('/api/key/import/:id?', importKey),
  post('/api/key/search', search),
  get('/api/key/search', search),
  get('/api/key', (call) => ok({ keys: call.state.rows.keys.all().map(shown) })),
  get('/api/key/:id', (call) => ok({ key: shown(lookup(call)) })),
  put('/api/key/:id', rename),
  remove('/api/key/:id', removeKey),
]
