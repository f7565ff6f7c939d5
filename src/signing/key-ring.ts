import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { EncodeError, ImproperlyConfigured } from '../errors.ts'
import { commonHeaders, signatureOf } from '../protocol/message-form.ts'
import { parseTime } from '../protocol/time.ts'
import { KeyFile } from './key-file.ts'
import { expired, malformed, type Refusal, unknownKey, unsigned, wrong } from './refusal.ts'
import { isSignedBy, type ReadSignature, readSignature, type Signable, type Signed } from './signature.ts'
import { signedMessage, signedResult, signMessage, signResult } from './signature.ts'
import { type SigningKey, signingKey } from './signing-key.ts'

export type { Refusal } from './refusal.ts'
export { FUNCTION_HEADER, type Signable, SIGNATURE_HEADER } from './signature.ts'

/** Where the keys of a {@link KeyRing} come from. */
export interface KeySource {
  /**
   * The secret texts, the one that signs first; undefined when they are those of the last call.
   * @throws {@link ImproperlyConfigured} when there are none to be had.
   */
  look(): readonly string[] | undefined
}

/** What {@link openKeyRing} takes: the options of these names. */
export interface KeyRingOptions {
  readonly secretKey: string | undefined
  /** Accepted, but not signed with. */
  readonly secretKeyFallbacks: readonly string[]
  /** Relative to `root`. Default: `.celeriac/secret.key`, which is made if it is missing. */
  readonly secretKeyFile: string | undefined
  /** 0 is for ever. */
  readonly signatureLifetimeMs: number
  /** Folder of the project. */
  readonly root: string
  /** Messages stay in this process: without a `secretKey` a random one does, and no file is touched. */
  readonly inMemory: boolean
}

/** How long what a look at the source has shown is taken for true. */
const LOOK_EVERY_MS = 1000

/**
 * The keys of an application: the first signs, all verify.
 *
 * Nothing is read before the first use. A key file that changes is read again within a second, and a default one that was deleted
 * is put back; keys that this process has once known stay accepted.
 */
export class KeyRing {
  readonly #source: KeySource
  readonly #lifetimeMs: number
  readonly #keys = new Map<string, SigningKey>()
  #signing: SigningKey | undefined
  #problem: string | undefined
  // Apart, so that a look made for signing never hides a new key from what comes in just after it.
  #lookedToSignMs = -Infinity
  #lookedToVerifyMs = -Infinity

  constructor(source: KeySource, fallbacks: readonly string[], lifetimeMs: number) {
    this.#source = source
    this.#lifetimeMs = lifetimeMs
    for (const text of fallbacks) this.#add(signingKey(text))
  }

  /**
   * Reads the keys now rather than with the first use.
   * @throws {@link ImproperlyConfigured} when there is none to sign with.
   */
  open(nowMs: number): void {
    this.#signingKey(nowMs)
  }

  /**
   * The signature of a message, valid from its `eta`, or from now, for the lifetime that was configured.
   * @throws {@link ImproperlyConfigured} when there is no key to sign with.
   */
  sign(message: Signable, nowMs: number): string {
    return signMessage(message, this.#signingKey(nowMs), this.#validUntil(message, nowMs))
  }

  /**
   * Why a message is not to be believed; undefined when its signature holds. To be asked before anything of it is decoded.
   * @throws {@link ImproperlyConfigured} when this process has no key at all.
   */
  verify(message: Signable, nowMs: number): Refusal | undefined {
    return this.#check('message', signatureOf(message), () => signedMessage(message), nowMs)
  }

  /** The signature of a stored result; it does not expire, for that is what results do by themselves. */
  signResult(taskId: string, text: string, nowMs: number): string {
    return signResult(taskId, text, this.#signingKey(nowMs))
  }

  /** {@link verify} for a stored result and the task that it is said to be of. */
  verifyResult(taskId: string, text: string, signature: unknown, nowMs: number): Refusal | undefined {
    return this.#check('result', signature, () => signedResult(taskId, text), nowMs)
  }

  #check(what: string, text: unknown, signed: () => Signed, nowMs: number): Refusal | undefined {
    if (text === undefined || text === null) return unsigned(what)
    const signature = typeof text === 'string' ? readSignature(text) : undefined
    if (signature === undefined) return malformed(what, text)
    const key = this.#keyOf(signature, nowMs)
    if (key === undefined) return unknownKey(what, signature.keyId, this.#keys.keys(), this.#problem)
    if (!holds(key, signature, signed)) return wrong(what, key.id)
    return nowMs > signature.validUntilMs ? expired(what, signature.validUntilMs) : undefined
  }

  #validUntil(message: Signable, nowMs: number): number | undefined {
    if (this.#lifetimeMs === 0) return undefined
    const eta = commonHeaders(message)['eta'] ?? undefined
    return (eta === undefined ? nowMs : Math.max(nowMs, parseTime(eta, 'header "eta"'))) + this.#lifetimeMs
  }

  #signingKey(nowMs: number): SigningKey {
    if (this.#signing === undefined || isDue(this.#lookedToSignMs, nowMs)) {
      this.#lookedToSignMs = nowMs
      return this.#look()
    }
    return this.#signing
  }

  #keyOf({ keyId }: ReadSignature, nowMs: number): SigningKey | undefined {
    const known = this.#keys.get(keyId)
    if (known !== undefined) return known
    if (this.#signing === undefined || isDue(this.#lookedToVerifyMs, nowMs)) {
      this.#lookedToVerifyMs = nowMs
      this.#look()
    }
    return this.#keys.get(keyId)
  }

  #look(): SigningKey {
    try {
      const texts = this.#source.look()
      this.#problem = undefined
      if (texts !== undefined) this.#signing = texts.map((text) => this.#add(signingKey(text)))[0]
    } catch (error) {
      // A process that has keys goes on with them: the file may be in the midst of being edited.
      if (this.#signing === undefined || !(error instanceof ImproperlyConfigured)) throw error
      this.#problem = error.message
    }
    if (this.#signing === undefined) throw new ImproperlyConfigured(['There is no key to sign with. Set CELERY_SECRET_KEY.'])
    return this.#signing
  }

  #add(key: SigningKey): SigningKey {
    const known = this.#keys.get(key.id) ?? key
    this.#keys.set(key.id, known)
    return known
  }
}

/** The keys that a configuration asks for: a `secretKey`, else one of this process alone in memory, else those of a key file. */
export function openKeyRing(options: KeyRingOptions): KeyRing {
  return new KeyRing(openSource(options), options.secretKeyFallbacks, options.signatureLifetimeMs)
}

let secretOfProcess: string | undefined

/** The secret of this process, made at random once. As `secretKey` it makes a child process accept what this one signs in memory. */
export function processSecret(): string {
  secretOfProcess ??= randomBytes(32).toString('hex')
  return secretOfProcess
}

function openSource({ secretKey, secretKeyFile, root, inMemory }: KeyRingOptions): KeySource {
  if (secretKey !== undefined) return fixedSource(() => secretKey)
  if (inMemory) return fixedSource(processSecret)
  const isDefault = secretKeyFile === undefined
  return new KeyFile({ path: isDefault ? join(root, '.celeriac', 'secret.key') : resolve(root, secretKeyFile), root, isDefault })
}

function fixedSource(secret: () => string): KeySource {
  let isKnown = false
  return {
    look() {
      if (isKnown) return undefined
      isKnown = true
      return [secret()]
    },
  }
}

/** A header that no message of ours can have is as wrong as any other change. */
function holds(key: SigningKey, signature: ReadSignature, signed: () => Signed): boolean {
  try {
    return isSignedBy(key, signature, signed())
  } catch (error) {
    if (error instanceof EncodeError) return false
    throw error
  }
}

/** A clock that was set back counts as well. */
function isDue(lookedMs: number, nowMs: number): boolean {
  return !(Math.abs(nowMs - lookedMs) < LOOK_EVERY_MS)
}
