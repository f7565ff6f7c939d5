/** Why something that should be signed is not believed. */
export interface Refusal {
  readonly reason: 'unsigned' | 'malformed-signature' | 'unknown-key' | 'wrong-signature' | 'signature-expired'
  /** What was expected, what came and what to do, for people. */
  readonly detail: string
}

const SHARE_KEY = 'Give every process the same CELERY_SECRET_KEY, or the same key file (CELERY_SECRET_KEY_FILE)'

/** There is no signature at all. */
export function unsigned(what: string): Refusal {
  return {
    reason: 'unsigned',
    detail: `The ${what} is not signed; expected is a signature made with this application's key. Whoever sent it has no such key: send it with this library.`,
  }
}

/** There is something else where a signature should be. */
export function malformed(what: string, signature: unknown): Refusal {
  const shown = typeof signature === 'string' ? JSON.stringify(signature.slice(0, 80)) : `a value of type ${typeof signature}`
  return {
    reason: 'malformed-signature',
    detail: `The signature of the ${what} must be "v1.<key id>.<valid until>.<MAC>", not ${shown}. Use the same version of this library on both sides.`,
  }
}

/** It was signed with a key that is not ours; `problem` is why newer keys could not be read, if so. */
export function unknownKey(what: string, keyId: string, known: Iterable<string>, problem: string | undefined): Refusal {
  return {
    reason: 'unknown-key',
    detail:
      `The ${what} was signed with the key ${keyId}; this process knows ${[...known].join(', ')}. ${SHARE_KEY}; ` +
      `a key that was replaced belongs in CELERY_SECRET_KEY_FALLBACKS for a while.${problem === undefined ? '' : ` ${problem}`}`,
  }
}

/** It is not what was signed. */
export function wrong(what: string, keyId: string): Refusal {
  return {
    reason: 'wrong-signature',
    detail:
      `The ${what} is not as the owner of the key ${keyId} signed it: it was changed on the way, or forged. ` +
      'See who can write to the broker and the result backend.',
  }
}

/** It is too old: it may have been recorded and sent again. */
export function expired(what: string, validUntilMs: number): Refusal {
  return {
    reason: 'signature-expired',
    detail:
      `The signature of the ${what} was valid until ${new Date(validUntilMs).toISOString()}: an old one may be sent again by somebody else. ` +
      'Send it anew, or raise "signatureLifetime" where it is sent; compare the clocks if it is not old.',
  }
}
