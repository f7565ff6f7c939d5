import { signingKey, type SigningKey } from '../../src/signing/signing-key.ts'
import { type Signable, SIGNATURE_HEADER } from '../../src/signing/signature.ts'

/** A key for tests. */
export const KEY: SigningKey = signingKey('correct horse battery staple')

/** Every header that is signed, and some that are not. */
export const HEADERS: Readonly<Record<string, unknown>> = {
  lang: 'js',
  id: '0199a1b2-7c3d-7000-8000-5c0ffee50000',
  task: 'src/tasks:add',
  eta: '2026-11-20T06:27:28.978000+00:00',
  expires: '2026-11-21T06:27:28.978000+00:00',
  compression: 'application/x-gzip',
  argsrepr: '(1, 2)',
  'x-celeriac-function': { t: 'm', m: './src/tasks.ts', p: ['add'] },
  'x-celeriac-acks-late': true,
}

/** A message with {@link HEADERS}, but for those that are given. */
export function message(headers: Readonly<Record<string, unknown>> = {}, body: Signable['body'] = '[[1, 2], {}, null]'): Signable {
  return { headers: { ...HEADERS, ...headers }, contentType: 'application/json', body }
}

/** The message as the broker carries it. */
export function signed(message: Signable, signature: unknown): Signable {
  return { ...message, headers: { ...message.headers, [SIGNATURE_HEADER]: signature } }
}
