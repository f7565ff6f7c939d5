import type { LogLevel } from '../internal/logger.ts'
import type { CompressionName } from '../protocol/encoding.ts'
import type { SerializerName } from '../protocol/serializers/open.ts'
import type { Duration } from './duration.ts'
import type { BackendTransportOptions, RedisTransportOptions, RetryPolicy, SentinelOptions, UseSsl } from './redis-kinds.ts'
import type { TransportOptions } from './store-kinds.ts'
import type { PoolName, Workers } from './workers.ts'

/**
 * What `new Celery({…})` takes. Every option may be left out; durations are seconds, as in Celery, or text
 * such as `'500ms'` and `'5m'`.
 *
 * The same options are read from the environment as `CELERY_` and the name in capitals (`brokerUrl` is
 * `CELERY_BROKER_URL`), and under Celery's names, new and old.
 */
export interface CeleryOptions {
  /** Folder of the project: `.celeriac/` goes there, and paths of functions start there. Default: found by `package.json`. */
  root?: string
  /** Name of the application. Default: the package's name. */
  main?: string
  /** Module of the web application, `path` or `path:attribute`. In the environment: `CELERIAC_APP`. */
  app?: string
  /** Modules that a worker imports when it starts. */
  include?: readonly string[]
  /** Where messages wait: `'sqlite:'` (default, a file in `.celeriac/`), `'sqlite:path.db'`, `'memory:'` or `'redis://host:6379/0'`. */
  brokerUrl?: string | readonly string[]
  /** Another name of {@link brokerUrl}. */
  broker?: string | readonly string[]
  /** Where workers take messages from. Default: {@link brokerUrl}. */
  brokerReadUrl?: string | readonly string[]
  /** Where messages are sent to. Default: {@link brokerUrl}. */
  brokerWriteUrl?: string | readonly string[]
  /** Where results are kept. Default: the same place as the messages. */
  resultBackend?: string | readonly string[]
  /** Another name of {@link resultBackend}. */
  backend?: string | readonly string[]
  /** How long to try to reach the broker before giving up. Default: 4. */
  brokerConnectionTimeout?: Duration
  /** How the broker keeps messages; see {@link TransportOptionsInput}. */
  brokerTransportOptions?: TransportOptionsInput
  /** Encrypts the connections to the broker. Default: as the URL says. */
  brokerUseSsl?: boolean | UseSsl
  /** Makes a lost connection again by itself. Default: true. */
  brokerConnectionRetry?: boolean
  /** Lets a worker that starts wait for the broker instead of ending. Default: that of {@link brokerConnectionRetry}. */
  brokerConnectionRetryOnStartup?: boolean
  /** How often a lost connection is tried again; 0 or null for ever. Default: 0. */
  brokerConnectionMaxRetries?: number | null
  /** Accepted without effect on Redis, whose connections have no heartbeat. */
  brokerHeartbeat?: Duration
  /** How the result backend keeps results; see {@link BackendTransportOptionsInput}. */
  resultBackendTransportOptions?: BackendTransportOptionsInput
  /** Encrypts the connections to a result backend on Redis. Default: as the broker's when it is the same place, else as the URL says. */
  redisBackendUseSsl?: boolean | UseSsl
  /** How long a result backend on Redis may take to answer. Default: 12. */
  redisSocketTimeout?: Duration
  /** How long one attempt to connect to it may take. Default: that of {@link brokerConnectionTimeout}. */
  redisSocketConnectTimeout?: Duration
  /** Lets the system look whether the connection still stands. Default: true. */
  redisSocketKeepalive?: boolean
  /** How often a silent result backend is asked whether it is there; 0 for never. Default: 10. */
  redisBackendHealthCheckInterval?: Duration
  /** What its server calls our connections. Default: `celeriac:` and the process id. */
  redisClientName?: string
  /** Accepted without effect: what may be repeated is repeated. */
  redisRetryOnTimeout?: boolean
  /** Accepted without effect: there is one connection for commands and one for subscriptions. */
  redisMaxConnections?: number
  /** Runs tasks at once in the calling process instead of sending them. Default: false. */
  taskAlwaysEager?: boolean
  /** Another name of {@link taskAlwaysEager}. */
  alwaysEager?: boolean
  /** Makes the call itself fail when an eager task fails. Default: false. */
  taskEagerPropagates?: boolean
  /** Queue of tasks that name none. Default: `'celery'`. */
  taskDefaultQueue?: string
  /** Priority of tasks that name none, 0 (lowest) to 9. Default: 0. */
  taskDefaultPriority?: number
  /** Stores no results. Default: false. */
  taskIgnoreResult?: boolean
  /** Stores the state STARTED when a task begins. Default: true. */
  taskTrackStarted?: boolean
  /** Acknowledges a message after its task has run, not before. Default: true. */
  taskAcksLate?: boolean
  /** Runs a task again when the process that ran it died. Default: true. */
  taskRejectOnWorkerLost?: boolean
  /** Installed packages whose functions may be run as tasks. Default: none. */
  taskPackages?: readonly string[]
  /** How many times a task whose process dies is begun before it is given up. Default: 3. */
  taskMaxDeliveries?: number
  /** Largest message, in bytes. Default: 16 MiB. */
  taskMessageMaxSize?: number
  /** Longest error text and traceback that are stored, in characters each. Default: 65,536. */
  taskErrorMaxLength?: number
  /** How long a task that a worker does not know waits before it is offered again. Default: 5. */
  taskUnknownDelay?: Duration
  /** How long results are kept; 0 keeps them for ever. Default: a day. */
  resultExpires?: Duration
  /** Stores name, arguments, worker and queue with each result. Default: true. */
  resultExtended?: boolean
  /** Serializers whose messages a worker runs: `'json'`, `'msgpack'`, `'yaml'`. Default: `['json']`. */
  acceptContent?: readonly string[]
  /** How calls are written: `'json'` (default), `'msgpack'` or `'yaml'`. Workers must accept it. */
  taskSerializer?: string
  /** How messages are compressed: `'zlib'`, `'brotli'` or `'zstd'`. Default: not at all. */
  taskCompression?: string
  /** Serializers whose results may be read, {@link resultSerializer} among them. Default: that and {@link acceptContent}. */
  resultAcceptContent?: readonly string[]
  /** How results are in Redis: `'json'` (default), `'msgpack'` or `'yaml'`; the same in every process, those of Python too. */
  resultSerializer?: string
  /** Has no effect: results are not compressed, as with Celery. */
  resultCompression?: string
  /** Replaces values of registered types by what `toWire` makes of them, and reads them again in the worker. Default: true. */
  sanitizeArguments?: boolean
  /** Signs messages and results, at least 16 characters; the same on every machine. Default: that of {@link secretKeyFile}. */
  secretKey?: string
  /** Former keys that are still accepted, but no longer signed with. */
  secretKeyFallbacks?: readonly string[]
  /** File with a key per line, readable by its owner only; the first signs. Default: `.celeriac/secret.key`, made when it is missing. */
  secretKeyFile?: string
  /** How long a message may wait until it is refused as one sent again; 0 is for ever. Default: 30 days. */
  signatureLifetime?: Duration
  /** IANA name of the application's time zone. Default: `'UTC'`. */
  timezone?: string
  /** Local workers: how many, their names, or names with options. Default: 1. */
  workers?: number | readonly string[] | Readonly<Record<string, WorkerOptionsInput>>
  /** Starts the workers with the first task. Default: true; in production only for a broker that is embedded. */
  startLocalWorkers?: boolean
  /** How long the local workers may take to start. Default: 10. */
  startTimeout?: Duration
  /** Least severe messages that are logged; any case. Default: `'info'`. */
  logLevel?: LogLevel | 'warn' | Uppercase<LogLevel> | 'WARN'
  /** Another name of {@link logLevel}. */
  loglevel?: LogLevel | 'warn' | Uppercase<LogLevel> | 'WARN'
  /** Folder of logs and pid files. Default: `.celeriac/` in the project. */
  logDir?: string
  /** How many tasks a worker runs at once. Default: the number of cores. */
  workerConcurrency?: number
  /** What runs tasks: child processes, one child's event loop, or the worker itself. Default: `'prefork'`. */
  workerPool?: PoolName
  /** Messages a worker holds for each task that it runs at once. Default: 4. */
  workerPrefetchMultiplier?: number
  /** How long a stopping worker lets its tasks finish. Default: 8. */
  workerSoftShutdownTimeout?: Duration
  /** Starts the dashboard with the workers; only `false` in this version. */
  dashboard?: boolean
  /** Another name of {@link dashboard}. */
  flower?: boolean
  /** Starts beat with the workers; only `false` in this version. */
  scheduler?: boolean
}

/** What one of the `workers` may do differently from the rest. */
export interface WorkerOptionsInput {
  /** How many tasks it runs at once. */
  concurrency?: number
  /** Queues it takes from. Default: the default queue and every queue that another worker names. */
  queues?: readonly string[] | string
  /** Its log level. */
  logLevel?: LogLevel | 'warn' | Uppercase<LogLevel> | 'WARN'
  /** Another name of {@link logLevel}. */
  loglevel?: LogLevel | 'warn' | Uppercase<LogLevel> | 'WARN'
  /** Where it writes its process id; `%n` is its name, `%h` its host. */
  pidfile?: string
  /** What runs its tasks. */
  pool?: PoolName
}

/** Names of {@link RedisTransportOptions} that are durations. */
type Durations = 'unackedMutexExpire' | 'socketTimeout' | 'socketConnectTimeout' | 'healthCheckInterval' | 'intervalStart' | 'intervalStep' | 'intervalMax'

/** The options, with every duration in the forms that a user may write. */
type Written<T, Names extends PropertyKey> = { [Name in keyof T]: Name extends Names ? Duration : T[Name] }

/** What `resultBackendTransportOptions` takes. */
export interface BackendTransportOptionsInput extends Written<Omit<BackendTransportOptions, 'retryPolicy' | 'sentinelKwargs'>, 'visibilityTimeout'> {
  /** How the sentinels themselves are spoken to. */
  sentinelKwargs?: Written<SentinelOptions, 'socketTimeout'>
  /** How long a call is tried again. */
  retryPolicy?: Written<RetryPolicy, 'timeout' | Durations>
}

/** What `brokerTransportOptions` takes. */
export interface TransportOptionsInput extends Written<Omit<RedisTransportOptions, 'sentinelKwargs'>, Durations> {
  /** How the sentinels themselves are spoken to. */
  sentinelKwargs?: Written<SentinelOptions, 'socketTimeout'>
  /** How long after the death of a worker its tasks go to others. Default: 10; on Redis an hour for those of Python workers. */
  visibilityTimeout?: Duration
  /** `'full'` makes an accepted task survive a power cut; `'normal'` (default) the death of any process. */
  synchronous?: 'normal' | 'full'
  /** Opens a database on a network file system, where locks may not hold. Default: false. */
  allowNetworkFileSystem?: boolean
}

/** Every option with the value in force. Durations are seconds. */
export interface ConfigValues {
  root: string
  main: string
  app: string | undefined
  include: readonly string[]
  brokerUrl: string
  brokerReadUrl: string
  brokerWriteUrl: string
  resultBackend: string
  brokerConnectionTimeout: number
  brokerTransportOptions: TransportOptions
  brokerUseSsl: UseSsl | false
  brokerConnectionRetry: boolean
  brokerConnectionRetryOnStartup: boolean
  brokerConnectionMaxRetries: number
  brokerHeartbeat: number
  resultBackendTransportOptions: BackendTransportOptions
  redisBackendUseSsl: UseSsl | false
  redisSocketTimeout: number | undefined
  redisSocketConnectTimeout: number | undefined
  redisSocketKeepalive: boolean
  redisBackendHealthCheckInterval: number | undefined
  redisClientName: string | undefined
  redisRetryOnTimeout: boolean
  redisMaxConnections: number | undefined
  taskAlwaysEager: boolean
  taskEagerPropagates: boolean
  taskDefaultQueue: string
  taskDefaultPriority: number
  taskIgnoreResult: boolean
  taskTrackStarted: boolean
  taskAcksLate: boolean
  taskRejectOnWorkerLost: boolean
  taskPackages: readonly string[]
  taskMaxDeliveries: number
  taskMessageMaxSize: number
  taskErrorMaxLength: number
  taskUnknownDelay: number
  resultExpires: number
  resultExtended: boolean
  acceptContent: readonly SerializerName[]
  taskSerializer: SerializerName
  taskCompression: CompressionName | undefined
  resultAcceptContent: readonly SerializerName[]
  resultSerializer: SerializerName
  resultCompression: CompressionName | undefined
  sanitizeArguments: boolean
  secretKey: string | undefined
  secretKeyFallbacks: readonly string[]
  secretKeyFile: string | undefined
  signatureLifetime: number
  timezone: string
  workers: Workers
  startLocalWorkers: boolean
  startTimeout: number
  logLevel: LogLevel
  logDir: string
  workerConcurrency: number
  workerPool: PoolName
  workerPrefetchMultiplier: number
  workerSoftShutdownTimeout: number
  dashboard: boolean
  scheduler: boolean
}

/** The one name by which an option is known inside; the others are aliases. */
export type OptionName = keyof ConfigValues
