import { readFileSync } from 'node:fs'
import { ImproperlyConfigured } from '../../errors.ts'
import { Fault } from './faults.ts'

/** Celery's settings of an encrypted connection. Files are paths. */
export interface RedisTls {
  /** `required` and `optional` check the server's certificate: a server always has one. */
  readonly verify: 'required' | 'optional' | 'none'
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly checkHostname: boolean
}

/** An encrypted connection of which nothing else is said. */
export const TLS_DEFAULTS: RedisTls = { verify: 'required', caFile: undefined, certFile: undefined, keyFile: undefined, checkHostname: true }

/**
 * One of Celery's TLS settings, as a parameter of a URL or an entry of `broker_use_ssl`.
 * @throws {@link ImproperlyConfigured} when there is none of that name, or the value is none of it.
 */
export function tlsSetting(name: string, value: string | boolean): Partial<RedisTls> {
  if (name === 'ssl_cert_reqs') return { verify: certificateRule(String(value)) }
  if (name === 'ssl_check_hostname') return { checkHostname: /^(true|1|yes|on)$/i.test(String(value)) }
  if (name === 'ssl_ca_certs') return { caFile: String(value) }
  if (name === 'ssl_certfile') return { certFile: String(value) }
  if (name === 'ssl_keyfile') return { keyFile: String(value) }
  throw new ImproperlyConfigured([
    `has the unknown TLS setting ${JSON.stringify(name)}; there are ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile and ssl_check_hostname`,
  ])
}

/** What Node's `tls.connect` is given. Reads the files anew each time: certificates are replaced while we run. */
export function tlsSocketOptions(tls: RedisTls): object {
  return {
    tls: true,
    rejectUnauthorized: tls.verify !== 'none',
    ca: readFile('ssl_ca_certs', tls.caFile),
    cert: readFile('ssl_certfile', tls.certFile),
    key: readFile('ssl_keyfile', tls.keyFile),
    ...(tls.checkHostname ? {} : { checkServerIdentity: () => undefined }),
  }
}

function certificateRule(value: string): RedisTls['verify'] {
  const rule = value.toLowerCase().replace(/^(ssl\.)?cert_/, '')
  if (rule === 'required' || rule === 'optional' || rule === 'none') return rule
  throw new ImproperlyConfigured([`has ssl_cert_reqs ${JSON.stringify(value)}; it may be "required", "optional" or "none"`])
}

function readFile(setting: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new Fault(`cannot be reached: the file ${JSON.stringify(path)} of ${setting} cannot be read (${code}). Correct the path.`, { cause, isFinal: true })
  }
}
