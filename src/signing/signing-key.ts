import { createHash, createSecretKey, type KeyObject } from 'node:crypto'

/** A key that signs, made of a secret text of the user's or of a key file. */
export interface SigningKey {
  /** Travels with each signature, so that a reader knows which of its keys to try; tells nothing of the secret. */
  readonly id: string
  readonly secret: KeyObject
}

/** Makes a key of any text; the same text gives the same key everywhere. */
export function signingKey(text: string): SigningKey {
  return {
    id: digest('celeriac key id', text).toString('hex').slice(0, 8),
    // As bytes, every use would prepare the key anew, which takes longer than signing.
    secret: createSecretKey(digest('celeriac signing key', text)),
  }
}

function digest(label: string, text: string): Buffer {
  return createHash('sha256').update(`${label}\0${text}`).digest()
}
