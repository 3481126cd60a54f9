import { expect, test } from 'vitest'
import { secureUrl } from '../../src/lib/secure-url.ts'

test.each([
  'https://example.com/a',
  'HTTPS://EXAMPLE.COM',
  'http://localhost:9011',
  'http://LOCALHOST',
  'http://127.0.0.1',
  'http://127.1',
  'http://[::1]:80',
])('accepts %s', (written) => {
  expect(secureUrl(written, { insecureHttp: false })).toEqual(new URL(written))
})

test.each([
  ['nothing', 'malformed'],
  ['', 'malformed'],
  ['https://user@example.com', 'credentials'],
  ['http://:password@localhost', 'credentials'],
  ['http://example.com', 'insecure'],
  ['http://127.0.0.2', 'insecure'],
  ['http://127.0.0.1.example.com', 'insecure'],
  ['http://localhost.example.com', 'insecure'],
  ['http://[::2]', 'insecure'],
  ['http://[::ffff:10.0.0.1]', 'insecure'],
  ['ftp://localhost', 'insecure'],
  ['file:///etc/passwd', 'insecure'],
])('refuses %s as %s', (written, fault) => {
  expect(secureUrl(written, { insecureHttp: false })).toBe(fault)
})

test('insecureHttp accepts http to any host, and no other scheme', () => {
  expect(secureUrl('http://example.com', { insecureHttp: true })).toEqual(new URL('http://example.com'))
  expect(secureUrl('ftp://example.com', { insecureHttp: true })).toBe('insecure')
})
