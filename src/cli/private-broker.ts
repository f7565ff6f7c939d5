import type { Config } from '../config/config.ts'
import { parseStoreUrl } from '../config/url.ts'
import { ImproperlyConfigured } from '../errors.ts'

/**
 * Refuses a broker that only the process that made it can see: a command is always another one.
 * @throws {@link ImproperlyConfigured}
 */
export function refusePrivateBroker(conf: Config): void {
  if (parseStoreUrl(conf.brokerUrl).scheme !== 'memory') return
  throw new ImproperlyConfigured([`The broker "${conf.brokerUrl}" lives within one process, and this command is another. Use a broker such as "sqlite:" (-b or "brokerUrl").`])
}
