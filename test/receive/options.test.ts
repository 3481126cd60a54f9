import { generateKeyPairSync } from 'node:crypto'
import { allOf, anyOf, apiKey, basicAuth, check, FusewireError, signature, Webhook } from 'fusewire'
import { serve, toNodeHandler } from 'fusewire/node'
import { describe, expect, test } from 'vitest'
import { pairs, pkcs8, secret, spki } from '../support/keys.ts'
import { keptLog } from '../support/log.ts'

/** JavaScript knows no types: what it could give instead. */
const js = (value: unknown) => value as never // Refused at run time; that is the test.
const ignore = js(() => {})

const key = apiKey('a-key-of-more-than-16-bytes')
const url = 'https://auth.example.com/.well-known/jwks.json'
const jwks = (at: string, more: object = {}) => signature(js({ jwks: at, kid: 'a', ...more }))
const webhook = (options: object = {}) =>
  new Webhook(js({ authenticate: key, inbox: 'none', log: keptLog(), ...options }))
/** Too few for allOf and anyOf. */
const few = js([]) as [typeof key, typeof key]
const rsaPss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
const jwk = (pair: keyof typeof pairs) => pairs[pair].publicKey.export({ format: 'jwk' })

/** What is asked for, and what the error must name: the option, and its fix. */
const bad: Readonly<Record<string, readonly [make: () => unknown, code: string, names: RegExp]>> = {
  'apiKey undefined': [
    () => apiKey(undefined),
    'FW_KEY_MISSING',
    /apiKey is undefined.*environment, set the variable/,
  ],
  'apiKey of undefineds': [() => apiKey([undefined, undefined]), 'FW_KEY_MISSING', /apiKey is undefined/],
  'apiKey of nothing': [() => apiKey(js([])), 'FW_KEY_MISSING', /apiKey/],
  'apiKey empty': [() => apiKey(''), 'FW_KEY_MISSING', /apiKey is blank/],
  'apiKey blank': [() => apiKey(' \n'), 'FW_KEY_MISSING', /apiKey is blank/],
  'apiKey blank in a list': [
    () => apiKey(['a-key-of-more-than-16-bytes', '']),
    'FW_KEY_MISSING',
    /apiKey is blank/,
  ],
  'apiKey null': [() => apiKey(js(null)), 'FW_KEY_MISSING', /apiKey/],
  'apiKey a number': [() => apiKey(js(7)), 'FW_KEY_MISSING', /apiKey/],
  'apiKey header with a space': [
    () => apiKey('x'.repeat(16), { header: 'x key' }),
    'FW_OPTION',
    /apiKey: header/,
  ],
  'apiKey header empty': [() => apiKey('x'.repeat(16), { header: '' }), 'FW_OPTION', /apiKey: header/],
  'basicAuth without username': [() => basicAuth(js({ password: 'x' })), 'FW_OPTION', /basicAuth: username/],
  'basicAuth with a colon': [
    () => basicAuth({ username: 'a:b', password: 'x' }),
    'FW_OPTION',
    /basicAuth: username/,
  ],
  'basicAuth without password': [
    () => basicAuth({ username: 'a', password: undefined }),
    'FW_KEY_MISSING',
    /basicAuth: password is undefined/,
  ],
  'basicAuth with a blank password': [
    () => basicAuth({ username: 'a', password: '' }),
    'FW_KEY_MISSING',
    /basicAuth: password/,
  ],
  'basicAuth of nothing': [() => basicAuth(js([])), 'FW_OPTION', /basicAuth/],
  'basicAuth undefined': [() => basicAuth(js(undefined)), 'FW_OPTION', /basicAuth/],
  'check without function': [() => check('mtls', js(true)), 'FW_OPTION', /check\("mtls"\)/],
  'check without name': [
    () =>
      check(
        js(() => true),
        js(undefined),
      ),
    'FW_OPTION',
    /check/,
  ],
  'allOf of one': [() => allOf(key, ...few), 'FW_OPTION', /allOf takes two or more/],
  'allOf of undefined': [() => allOf(key, js(undefined)), 'FW_OPTION', /allOf takes/],
  'anyOf of none': [() => anyOf(...few), 'FW_OPTION', /anyOf takes/],
  'allOf of a text': [() => allOf(key, js('none')), 'FW_OPTION', /allOf takes/],
  'allOf of apiKey and basicAuth': [
    () => allOf(key, basicAuth({ username: 'a', password: 'x' })),
    'FW_OPTION',
    /basicAuth and apiKey.*header: "x-/,
  ],
  'allOf of basicAuth and apiKey deeper': [
    () =>
      allOf(
        basicAuth({ username: 'a', password: 'x' }),
        allOf(
          check('x', () => true),
          key,
        ),
      ),
    'FW_OPTION',
    /basicAuth and apiKey/,
  ],
  'signature of nothing': [() => signature(js({})), 'FW_KEY_MISSING', /signature: give/],
  'signature undefined': [() => signature(js(undefined)), 'FW_KEY_MISSING', /signature: give/],
  'signature of an empty list': [() => signature(js([])), 'FW_KEY_MISSING', /signature: give/],
  'jwks without kid': [() => signature(js({ jwks: url })), 'FW_OPTION', /name the kid.*anyKid: true/],
  'jwks with an empty kid': [() => signature({ jwks: url, kid: '' }), 'FW_OPTION', /name the kid/],
  'jwks with an undefined kid': [
    () => signature(js({ jwks: url, kid: undefined })),
    'FW_OPTION',
    /name the kid/,
  ],
  'jwks with no kids': [() => signature(js({ jwks: url, kid: [] })), 'FW_OPTION', /name the kid/],
  'jwks with a kid undefined in a list': [
    () => signature(js({ jwks: url, kid: ['a', undefined] })),
    'FW_OPTION',
    /name the kid/,
  ],
  'jwks with anyKid false': [() => signature(js({ jwks: url, anyKid: false })), 'FW_OPTION', /name the kid/],
  'jwks that is no URL': [() => jwks('auth.example.com'), 'FW_OPTION', /jwks is not a URL/],
  'jwks undefined': [() => signature(js({ jwks: undefined, kid: 'a' })), 'FW_OPTION', /jwks/],
  'jwks with a password': [() => jwks('https://a:b@auth.example.com/'), 'FW_OPTION', /user name/],
  ...Object.fromEntries(
    [
      'http://auth.example.com/jwks',
      'http://localhost.evil.com/jwks',
      'http://127.0.0.1.nip.io/jwks',
      'http://127.0.0.2/jwks',
      'http://0/jwks',
      'http://0.0.0.0/jwks',
      'http://[::]/jwks',
      'http://[::ffff:127.0.0.1]/jwks',
      'file:///etc/passwd',
      'data:application/json,{"keys":[]}',
      'ftp://localhost/jwks',
      'javascript:1',
    ].map((at) => [`jwks ${at}`, [() => jwks(at), 'FW_OPTION', /jwks must be https.*insecureHttp/] as const]),
  ),
  'jwks http://127.0.0.1@evil.com': [() => jwks('http://127.0.0.1@evil.com/'), 'FW_OPTION', /user name/],
  'insecureHttp for another protocol': [
    () => jwks('file:///etc/passwd', { insecureHttp: true }),
    'FW_OPTION',
    /https/,
  ],
  'secret undefined': [
    () => signature({ secret: undefined }),
    'FW_KEY_MISSING',
    /signature: secret is undefined/,
  ],
  'secret blank': [
    () => signature({ secret: ' '.repeat(40) }),
    'FW_KEY_MISSING',
    /signature: secret is blank/,
  ],
  'secret short': [() => signature({ secret: 'only 15 bytes..' }), 'FW_KEY', /shorter than 16 bytes/],
  'secret a public PEM': [() => signature({ secret: spki(pairs.rsa.publicKey) }), 'FW_KEY', /PEM.*publicKey/],
  'secret a PEM behind white space': [
    () => signature({ secret: `\n ${spki(pairs.p256.publicKey)}` }),
    'FW_KEY',
    /PEM/,
  ],
  'secret a JWK': [() => signature({ secret: JSON.stringify(jwk('rsa')) }), 'FW_KEY', /JSON.*publicKey/],
  'secret a JWKS behind white space': [
    () => signature({ secret: ` ${JSON.stringify({ keys: [jwk('rsa')] })}` }),
    'FW_KEY',
    /JSON/,
  ],
  'publicKey undefined': [
    () => signature(js({ publicKey: undefined })),
    'FW_KEY_MISSING',
    /publicKey is missing/,
  ],
  'publicKey blank': [() => signature({ publicKey: '' }), 'FW_KEY_MISSING', /publicKey is missing/],
  'publicKey of nothing': [() => signature(js({ publicKey: [] })), 'FW_KEY_MISSING', /signature: give/],
  'publicKey not readable': [() => signature({ publicKey: 'c2VjcmV0' }), 'FW_KEY', /not a readable PEM/],
  'publicKey a broken PEM': [
    () => signature({ publicKey: spki(pairs.rsa.publicKey).slice(0, 200) }),
    'FW_KEY',
    /not a readable PEM/,
  ],
  'publicKey a private PEM': [
    () => signature({ publicKey: pkcs8(pairs.rsa.privateKey) }),
    'FW_KEY',
    /private key/,
  ],
  'publicKey a private JWK': [
    () => signature({ publicKey: pairs.p256.privateKey.export({ format: 'jwk' }) }),
    'FW_KEY',
    /private parts/,
  ],
  'publicKey a secret JWK': [
    () => signature({ publicKey: { kty: 'oct', k: 'AAAA' } }),
    'FW_KEY',
    /private parts/,
  ],
  'publicKey an empty JWK': [() => signature({ publicKey: {} }), 'FW_KEY', /not a readable public key/],
  'publicKey for encryption': [
    () => signature({ publicKey: { ...jwk('rsa'), use: 'enc' } }),
    'FW_KEY',
    /use/,
  ],
  'publicKey whose key_ops do not verify': [
    () => signature({ publicKey: { ...jwk('rsa'), key_ops: ['encrypt'] } }),
    'FW_KEY',
    /key_ops/,
  ],
  'publicKey of another alg': [
    () => signature({ publicKey: { ...jwk('p256'), alg: 'RS256' } }),
    'FW_KEY',
    /alg/,
  ],
  'publicKey RSA-PSS': [
    () => signature({ publicKey: spki(rsaPss) }),
    'FW_KEY',
    /does not sign with this kind of key/,
  ],
  'publicKey Ed448': [
    () => signature({ publicKey: spki(generateKeyPairSync('ed448').publicKey) }),
    'FW_KEY',
    /does not sign with this kind of key/,
  ],
  'publicKey on secp256k1': [
    () => signature({ publicKey: spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) }),
    'FW_KEY',
    /P-256/,
  ],
  'publicKey RSA 1024': [
    () => signature({ publicKey: spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }),
    'FW_KEY',
    /2048 to 8192/,
  ],
  'publicKey RSA with e = 3': [
    () =>
      signature({
        publicKey: spki(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey),
      }),
    'FW_KEY',
    /65537/,
  ],
  'authenticate undefined': [() => webhook({ authenticate: undefined }), 'FW_OPTION', /authenticate must be/],
  'authenticate a text': [() => webhook({ authenticate: 'any' }), 'FW_OPTION', /authenticate must be/],
  'authenticate a function': [
    () => webhook({ authenticate: () => true }),
    'FW_OPTION',
    /authenticate must be/,
  ],
  'inbox undefined': [() => webhook({ inbox: undefined }), 'FW_OPTION', /inbox must be/],
  'inbox a file name': [() => webhook({ inbox: 'inbox.db' }), 'FW_OPTION', /inbox must be/],
  ...Object.fromEntries(
    ['bodyLimit', 'gateTimeoutMs', 'concurrency'].flatMap((name) =>
      [0, -1, 1.5, NaN, Infinity, '100'].map((value) => [
        `${name} ${JSON.stringify(value)} ${String(value)}`,
        [() => webhook({ [name]: value }), 'FW_OPTION', new RegExp(`${name} must be`)] as const,
      ]),
    ),
  ),
  'gateTimeoutMs longer than a timer can be': [
    () => webhook({ gateTimeoutMs: 2 ** 31 }),
    'FW_OPTION',
    /gateTimeoutMs/,
  ],
  'a gate of a .complete type': [
    () => webhook().gate(js('user.delete.complete'), () => {}),
    'FW_OPTION',
    /after it has happened.*on\(\)/,
  ],
  'a gate of a typo': [
    () => webhook().gate(js('user.deleted'), () => {}),
    'FW_OPTION',
    /no such transactional type/,
  ],
  'a gate of nothing': [() => webhook().gate(js([]), () => {}), 'FW_OPTION', /gate/],
  'a gate of *': [() => webhook().gate(js('*'), () => {}), 'FW_OPTION', /gate\('\*'\)/],
  'a gate without function': [
    () => webhook().gate('user.delete', js(undefined)),
    'FW_OPTION',
    /must be a function/,
  ],
  'a gate with options and no function': [
    () => webhook().gate('user.delete', {}, js(undefined)),
    'FW_OPTION',
    /must be a function/,
  ],
  'a gate with onFailure misspelt': [
    () => webhook().gate('user.delete', js({ onFailure: 'deny' }), () => {}),
    'FW_OPTION',
    /onFailure/,
  ],
  'a gate with timeoutMs 0': [
    () => webhook().gate('user.delete', { timeoutMs: 0 }, () => {}),
    'FW_OPTION',
    /timeoutMs/,
  ],
  'a gate with a timeoutMs longer than a timer can be': [
    () => webhook().gate('user.delete', { timeoutMs: 2 ** 31 }, () => {}),
    'FW_OPTION',
    /timeoutMs/,
  ],
  'on without function': [
    () => webhook().on('user.delete.complete', js(undefined)),
    'FW_OPTION',
    /must be a function/,
  ],
  'on of a transactional type without when': [
    () =>
      webhook().on(
        'user.delete',
        js(() => {}),
      ),
    'FW_OPTION',
    /user\.delete.*when: 'received'/,
  ],
  'on * without when': [
    () => webhook().on('*', js({ name: 'all' }), ignore),
    'FW_OPTION',
    /when: 'received'/,
  ],
  'on * without name': [() => webhook().on('*', js({ when: 'received' }), ignore), 'FW_HANDLER_NAME', /name/],
  'on of several without name': [
    () => webhook().on(['user.create.complete', 'user.delete.complete'], js({}), ignore),
    'FW_HANDLER_NAME',
    /name/,
  ],
  'on of nothing': [() => webhook().on(js([]), js({ name: 'none' }), ignore), 'FW_OPTION', /none/],
  'on with a name that cannot be printed': [
    () => webhook().on('user.delete.complete', { name: 'a\u0007' }, () => {}),
    'FW_HANDLER_NAME',
    /printable/,
  ],
  'on with a name of 129': [
    () => webhook().on('user.delete.complete', { name: 'a'.repeat(129) }, () => {}),
    'FW_HANDLER_NAME',
    /1 to 128/,
  ],
  'on with the name of another': [
    () =>
      webhook()
        .on('user.delete.complete', () => {})
        .on('user.delete.complete', () => {}),
    'FW_HANDLER_NAME',
    /user\.delete\.complete already/,
  ],
  'on with when of another kind': [
    () => webhook().on('user.delete', js({ when: 'always' }), ignore),
    'FW_OPTION',
    /when/,
  ],
  'on with where that is no function': [
    () => webhook().on('user.delete.complete', js({ where: true }), ignore),
    'FW_OPTION',
    /where/,
  ],
  'on with a tenantId from a variable that is not set': [
    () => webhook().on('user.delete.complete', js({ tenantId: undefined }), ignore),
    'FW_OPTION',
    /tenantId is undefined/,
  ],
  'on with a tenantId that is no text': [
    () => webhook().on('user.delete.complete', js({ tenantId: 7 }), ignore),
    'FW_OPTION',
    /tenantId/,
  ],
  'on with an applicationId that is no text': [
    () => webhook().on('user.delete.complete', js({ applicationId: [undefined] }), ignore),
    'FW_OPTION',
    /applicationId/,
  ],
  'on with ordering misspelt': [
    () => webhook().on('user.delete.complete', js({ ordering: 'lanes' }), ignore),
    'FW_OPTION',
    /ordering/,
  ],
  'on with maxAttempts 0': [
    () => webhook().on('user.delete.complete', js({ maxAttempts: 0 }), ignore),
    'FW_OPTION',
    /maxAttempts/,
  ],
  'toNodeHandler of something else': [
    () => toNodeHandler(js({ fetch: () => {} })),
    'FW_OPTION',
    /Webhook itself/,
  ],
}

describe('a bad option says what it is and what to do', () => {
  test.each(Object.entries(bad))('%s', (_, [make, code, names]) => {
    const error = thrown(make)
    expect(error).toBeInstanceOf(FusewireError)
    expect(error).toMatchObject({ code, message: expect.stringMatching(names) })
    // A program tells the cases of FW_OPTION apart by the name of the option.
    const option = code === 'FW_OPTION' ? expect.stringMatching(/^[a-z][\w.]*$/i) : undefined
    expect(error).toMatchObject(option === undefined ? { code } : { option })
    for (const hidden of [secret, 'MIIB', 'c2VjcmV0', 'only 15 bytes'])
      expect(String(error)).not.toContain(hidden)
  })

  test('a gate or handler after the start', async () => {
    await using started = await webhook().start()
    expect(() => started.gate('user.delete', () => {})).toThrow(
      expect.objectContaining({ code: 'FW_STARTED' }),
    )
    expect(() => started.on('user.delete.complete', () => {})).toThrow(
      expect.objectContaining({ code: 'FW_STARTED' }),
    )
  })

  test('a port that is none', async () => {
    await expect(serve(webhook(), { port: 70_000 })).rejects.toThrow(/port/)
  })
})

test.each([
  ['bodyLimit', () => webhook({ bodyLimit: 0 })],
  ['redact', () => webhook({ redact: ['user..data'] })],
  ['retention.deadMs', () => webhook({ retention: { deadMs: 0 } })],
  ['header', () => apiKey('x'.repeat(16), { header: '' })],
  ['kid', () => signature({ jwks: url, kid: '' })],
  [
    'onFailure',
    () =>
      webhook().gate(
        'user.delete',
        js({ onFailure: 'let in' }),
        js(() => {}),
      ),
  ],
  [
    'when',
    () =>
      webhook().on(
        'user.delete',
        js({ name: 'no when' }),
        js(() => {}),
      ),
  ],
] as const)('FW_OPTION names the option %s', (option, make) => {
  expect(thrown(make)).toMatchObject({ code: 'FW_OPTION', option })
})

test.each([
  'https://auth.example.com/jwks',
  'http://localhost:9011/jwks',
  'http://127.0.0.1:9011/jwks',
  'http://[::1]:9011/jwks',
  'HTTP://LOCALHOST/jwks',
])('%s may be a JWKS', (at) => {
  expect(jwks(at)).toBeDefined()
})

test('insecureHttp lets http in', () => {
  expect(jwks('http://auth.example.com/jwks', { insecureHttp: true })).toBeDefined()
})

function thrown(make: () => unknown): unknown {
  try {
    make()
  } catch (error) {
    return error
  }
  return undefined
}
