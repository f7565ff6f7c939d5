import { ImproperlyConfigured } from '../../errors.ts'

/** A fault that we found ourselves. The message goes on after the name of the store, and says what to do. */
export class Fault extends Error {
  /** Somebody has to change something before it can go away. */
  readonly isFinal: boolean

  constructor(message: string, options: ErrorOptions & { isFinal?: boolean } = {}) {
    super(message, options)
    this.isFinal = options.isFinal ?? false
  }
}

/** Beginnings of the server's answers that mean: not this server, or not yet. Its connection is made anew. */
const ELSEWHERE_OR_LATER = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|UNKILLABLE)\b/

/** Answers of the server that stay the same however often it is asked. */
const REFUSALS = /^(NOAUTH|WRONGPASS|NOPERM|DENIED)\b|AUTH|(invalid|out of range).*DB|DB index|unknown command/i

const CERTIFICATE = /CERT|LEAF_SIGNATURE|SELF_SIGNED|ISSUER|ALTNAME|SSL|TLS|EPROTO/

/** Whether the server answered that another one, or a later time, is meant. */
export function isElsewhereOrLater(answer: string): boolean {
  return ELSEWHERE_OR_LATER.test(answer)
}

/** Whether trying again at once is pointless: somebody has to change something first. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof Fault) return error.isFinal
  if (error instanceof ImproperlyConfigured) return true
  const { code, message } = partsOf(error)
  return code === undefined ? REFUSALS.test(message) : CERTIFICATE.test(code)
}

const CLOSED = 'closed the connection at once. Look at the log of the server; if it wants TLS, use "rediss://".'

/** A fault, as the end of a sentence that began with the name of the store; says what to do. */
export function describeFault(error: unknown): string {
  if (error instanceof Fault) return error.message
  const { code, message, where } = partsOf(error)
  if (code === undefined) return describeAnswer(message)
  if (code === 'ECONNREFUSED') return `cannot be reached: nothing listens${where} (ECONNREFUSED). Start the server, or correct the URL.`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `cannot be reached: its host name is not known (${code}). Correct the URL, or look at the network.`
  if (code === 'ENOENT') return `cannot be reached: there is no such socket${where} (ENOENT). Start the server, or correct the path.`
  if (code === 'EACCES') return `cannot be reached: this user may not open its socket${where} (EACCES). Change the permissions of the socket.`
  if (code === 'ECONNRESET' || code === 'EPIPE') return CLOSED
  if (code.startsWith('ERR_OSSL')) return `cannot be reached: a file of its TLS settings cannot be used (${code}: ${message}). PEM files without a passphrase are expected.`
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(code)) return `cannot be reached: the server does not speak TLS (${code}). Use "redis://", or the port that does.`
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|BAD_CERTIFICATE/.test(code)) {
    return `cannot be reached: the server wants another certificate of the client (${code}). Set ssl_certfile and ssl_keyfile.`
  }
  if (CERTIFICATE.test(code)) return `cannot be reached: the certificate of the server is not trusted (${code}: ${message}). Set ssl_ca_certs to the file with its CA.`
  return `cannot be reached${where} (${code}). Look at the server and the network.`
}

/** Why a connection that had been made was lost, in the same way. */
export function describeLoss(error: unknown): string {
  if (error instanceof Fault) return error.message
  const { code, message } = partsOf(error)
  if (code !== undefined) return `was lost (${code}). It is connected again as soon as that is possible.`
  return message.startsWith('Socket closed') ? 'was lost: the server closed the connection. It is connected again as soon as that is possible.' : describeAnswer(message)
}

function describeAnswer(message: string): string {
  if (/^NOAUTH|without any password configured|HELLO must be called/.test(message)) {
    const hasNone = /without any password/.test(message)
    return hasNone
      ? `refused the connection: the server has no password, but one was given (${message}).`
      : 'refused the connection: it wants a password (NOAUTH). Write it into the URL: "redis://:password@host".'
  }
  if (message.startsWith('WRONGPASS')) return 'refused the connection: the user name or the password is wrong (WRONGPASS). Correct the URL.'
  if (/DB index/i.test(message)) return `refused the database (${message}). Use a lower number, or raise "databases" in the server's configuration.`
  if (/unknown command.*HELLO/i.test(message)) return `is too old (${message}). Redis 6 or newer is needed.`
  if (message.startsWith('NOPERM')) return `refused a command (${message}). Give its user the permission with "ACL SETUSER"; docs/configuration.md lists all that are needed.`
  if (message.startsWith('READONLY')) return 'is a replica, which cannot be written (READONLY). Connect to the master.'
  if (message.startsWith('LOADING')) return 'is still loading its data (LOADING). Wait until it is ready.'
  if (/^(MASTERDOWN|CLUSTERDOWN)/.test(message)) return `is cut off from its master or cluster (${message}).`
  if (message.startsWith('Connection timeout')) return 'cannot be reached: it did not answer in time. Look at the server and the network.'
  if (message.startsWith('Socket closed unexpectedly')) return CLOSED
  return `failed: ${message.replace(/[.\s]+$/, '')}.`
}

function partsOf(error: unknown): { code: string | undefined; message: string; where: string } {
  const { code, message, address, port } = error as { code?: unknown; message?: string; address?: string; port?: number }
  const first = error instanceof AggregateError ? (error.errors[0] as { address?: string; port?: number } | undefined) : undefined
  const [at, on] = [address ?? first?.address, port ?? first?.port]
  const where = at === undefined ? '' : ` at ${at}${on === undefined ? '' : `:${on}`}`
  return { code: typeof code === 'string' ? code : undefined, message: oneLine(message ?? String(error)), where }
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim()
}
