import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { Config } from './config.ts'
import { assertResultContent } from './result-content.ts'
import { redisBackendSettings, redisBrokerSettings, type RedisSettings } from './redis-settings.ts'
import { parseStoreUrl } from './url.ts'

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
  /** How long those of a Python worker do, which never renews one. */
  readonly foreignVisibilityTimeoutMs: number
  readonly synchronous: 'normal' | 'full'
  readonly allowNetworkFileSystem: boolean
  /** Bytes of a body above which a message is put away unread. */
  readonly maxMessageSize: number
  /** For a store on Redis. */
  readonly redis?: RedisSettings
}

/** Seconds of a lease where nothing is configured: ours are renewed, so they may be short; Celery's default for those that are not. */
const OWN_VISIBILITY_TIMEOUT = 10
const FOREIGN_VISIBILITY_TIMEOUT = 3600

/** Reads them from the configuration: for the broker, at `url` when it is not `brokerUrl`, or for the result backend. */
export function storeOptions(
  conf: Config,
  around: Pick<StoreOptions, 'root' | 'clock' | 'logger'>,
  store: 'broker' | 'backend' = 'broker',
  url: string = store === 'broker' ? conf.brokerUrl : conf.resultBackend,
): StoreOptions {
  if (store === 'backend') assertResultContent(conf, url)
  const { allowNetworkFileSystem, synchronous, visibilityTimeout } = conf.brokerTransportOptions
  const backendTimeout = store === 'backend' ? conf.resultBackendTransportOptions.retryPolicy?.timeout : undefined
  return {
    ...around,
    connectionTimeoutMs: (backendTimeout ?? conf.brokerConnectionTimeout) * 1000,
    visibilityTimeoutMs: (visibilityTimeout ?? OWN_VISIBILITY_TIMEOUT) * 1000,
    foreignVisibilityTimeoutMs: (visibilityTimeout ?? FOREIGN_VISIBILITY_TIMEOUT) * 1000,
    synchronous,
    allowNetworkFileSystem,
    maxMessageSize: conf.taskMessageMaxSize,
    ...(parseStoreUrl(url).scheme === 'redis' && { redis: store === 'broker' ? redisBrokerSettings(conf, url) : redisBackendSettings(conf, url) }),
  }
}
