import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { Config } from './config.ts'

/** What drivers of brokers and result backends are opened with. Times are milliseconds. */
export interface StoreOptions {
  /** Directory that relative paths and `.celeriac/` are below. */
  readonly root: string
  readonly clock: Clock
  readonly logger: Logger
  /** How long to try before a call is given up. */
  readonly connectionTimeoutMs: number
  /** How long the messages of a consumer that no longer renews its lease stay out. */
  readonly visibilityTimeoutMs: number
  readonly synchronous: 'normal' | 'full'
  readonly allowNetworkFileSystem: boolean
  /** Bytes of a body above which a message is put away unread. */
  readonly maxMessageSize: number
}

/** Reads them from the configuration. */
export function storeOptions(conf: Config, around: Pick<StoreOptions, 'root' | 'clock' | 'logger'>): StoreOptions {
  const { allowNetworkFileSystem, synchronous, visibilityTimeout } = conf.brokerTransportOptions
  return {
    ...around,
    connectionTimeoutMs: conf.brokerConnectionTimeout * 1000,
    visibilityTimeoutMs: visibilityTimeout * 1000,
    synchronous,
    allowNetworkFileSystem,
    maxMessageSize: conf.taskMessageMaxSize,
  }
}
