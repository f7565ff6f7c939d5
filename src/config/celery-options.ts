import type { LogLevel } from '../internal/logger.ts'
import type { Duration } from './duration.ts'
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
  /** Where messages wait: `'sqlite:'` (default, a file in `.celeriac/`), `'sqlite:path.db'` or `'memory:'`. */
  brokerUrl?: string
  /** Another name of {@link brokerUrl}. */
  broker?: string
  /** Where results are kept. Default: the same place as the messages. */
  resultBackend?: string
  /** Another name of {@link resultBackend}. */
  backend?: string
  /** How long to try to reach the broker before giving up. Default: 4. */
  brokerConnectionTimeout?: Duration
  /** How the broker keeps messages; see {@link TransportOptionsInput}. */
  brokerTransportOptions?: TransportOptionsInput
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
  /** Content types that a worker reads; only `json` in this version. */
  acceptContent?: readonly string[]
  /** How messages are written; only `'json'` in this version. */
  taskSerializer?: string
  /** How results are written; only `'json'` in this version. */
  resultSerializer?: string
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

/** What `brokerTransportOptions` takes. */
export interface TransportOptionsInput {
  /** How long after the death of a worker its tasks go to others. Default: 10. */
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
  resultBackend: string
  brokerConnectionTimeout: number
  brokerTransportOptions: TransportOptions
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
  acceptContent: readonly 'json'[]
  taskSerializer: 'json'
  resultSerializer: 'json'
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
