import { createHash, createSecretKey, type KeyObject } from 'node:crypto'

/** A key that signs, made of a secret text of the user's or of a key file. */
export interface SigningKey {
  /** Travels with each signature, so that a reader knows which of its keys to try; tells nothing of the secret. */
  readonly id: string
  readonly secret: KeyObject
  /** What HMAC puts before the text, and before the hash of both. */
  readonly innerPad: Buffer
  readonly outerPad: Buffer
}

/** Makes a key of any text; the same text gives the same key everywhere. */
export function signingKey(text: string): SigningKey {
  const secret = digest('celeriac signing key', text)
  return {
    id: digest('celeriac key id', text).toString('hex').slice(0, 8),
    // As bytes, every use would prepare the key anew, which takes longer than signing.
    secret: createSecretKey(secret),
    innerPad: padded(secret, 0x36),
    outerPad: padded(secret, 0x5c),
  }
}

function digest(label: string, text: string): Buffer {
  return createHash('sha256').update(`${label}\0${text}`).digest()
}

/** The key as a block of SHA-256, each byte combined with `pad`. */
function padded(secret: Buffer, pad: number): Buffer {
  return Buffer.from(Array.from({ length: 64 }, (_, index) => (secret[index] ?? 0) ^ pad))
}
