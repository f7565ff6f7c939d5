import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { ConfigValues, OptionName } from './celery-options.ts'
import { acceptedContent, compression, serializer } from './content-kinds.ts'
import { flag, integer, type Kind, kind, seconds, text, textList } from './kinds.ts'
import { switchedOff } from './limited-kinds.ts'
import { projectName, projectRoot } from './root.ts'
import { secret, secretList } from './secret-kinds.ts'
import { backendTransportOptions, clientName, retries, useSsl } from './redis-kinds.ts'
import { DEFAULT_TRANSPORT_OPTIONS, storeUrl, timeZone, transportOptions } from './store-kinds.ts'
import { isEmbedded } from './url.ts'
import { logLevel, poolName, workers } from './workers.ts'

export type { CeleryOptions, WorkerOptionsInput } from './celery-options.ts'

/** One row of the table: all there is to know about an option. */
export interface OptionEntry<T> {
  /** Celery's name for it; absent when Celery has no such setting. */
  readonly celeryName?: string
  /** Further spellings, newer ones first. Those that start with `CELERY` are also read from the environment. */
  readonly aliases?: readonly string[]
  /** The environment's only spelling of it, when that is not `CELERY_` and the name. */
  readonly environmentName?: string
  readonly kind: Kind<T & {}>
  readonly unit?: 'seconds' | 'bytes' | 'characters'
  /** The default, or how it follows from the options above it in the table. */
  readonly default: T | ((context: DefaultContext) => T)
  /** A default that is computed, in words. */
  readonly defaultText?: string
  /** One sentence for the documentation. */
  readonly meaning: string
  /** Never shown to anybody. */
  readonly isSecret?: true
}

/** What a default may depend on. */
export interface DefaultContext {
  /** The options above this one in the table have their values. */
  readonly values: Readonly<ConfigValues>
  readonly env: NodeJS.ProcessEnv
}

const folder = kind('a folder', (value) => (typeof value === 'string' && value.trim() !== '' ? resolve(value) : undefined))
const existingFolder = kind('a folder that exists', (value) => {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  return statSync(resolve(value), { throwIfNoEntry: false })?.isDirectory() ? resolve(value) : undefined
})

/** Every option there is. Names, environment, checks, defaults and documentation all come from here. */
export const OPTIONS: { readonly [Name in OptionName]: OptionEntry<ConfigValues[Name]> } = {
  root: {
    kind: existingFolder,
    default: () => projectRoot(),
    defaultText: 'the nearest folder with a `package.json`, from the main script upwards',
    meaning: 'Folder of the project: `.celeriac/` goes there, and paths of functions start there.',
  },
  main: {
    kind: text(),
    default: ({ values }) => projectName(values.root),
    defaultText: "the package's name",
    meaning: 'Name of the application.',
  },
  app: {
    environmentName: 'CELERIAC_APP',
    kind: text('a path to a module, or "path:attribute"'),
    default: undefined,
    defaultText: 'none',
    meaning: 'Module of the web application, `path` or `path:attribute`.',
  },
  include: {
    celeryName: 'include',
    aliases: ['imports', 'CELERY_IMPORTS'],
    kind: textList(),
    default: [],
    meaning: 'Modules that a worker imports when it starts.',
  },
  brokerUrl: {
    celeryName: 'broker_url',
    aliases: ['broker'],
    kind: storeUrl,
    default: 'sqlite:',
    meaning:
      'Where messages wait; `sqlite:` is the file `.celeriac/celeriac.db` in the project, `memory:` is for eager mode and tests within one process, ' +
      '`redis://` is a server that several machines and Python share.',
  },
  brokerReadUrl: {
    celeryName: 'broker_read_url',
    kind: storeUrl,
    default: ({ values }) => values.brokerUrl,
    defaultText: 'the same place as `brokerUrl`',
    meaning: 'Where workers take messages from.',
  },
  brokerWriteUrl: {
    celeryName: 'broker_write_url',
    kind: storeUrl,
    default: ({ values }) => values.brokerUrl,
    defaultText: 'the same place as `brokerUrl`',
    meaning: 'Where messages are sent to.',
  },
  resultBackend: {
    celeryName: 'result_backend',
    aliases: ['backend'],
    kind: storeUrl,
    default: ({ values }) => values.brokerUrl,
    defaultText: 'the same place as `brokerUrl`',
    meaning: 'Where results are kept.',
  },
  brokerConnectionTimeout: {
    celeryName: 'broker_connection_timeout',
    kind: seconds('above 0'),
    unit: 'seconds',
    default: 4,
    meaning: 'How long to try to reach the broker before giving up.',
  },
  brokerTransportOptions: {
    celeryName: 'broker_transport_options',
    kind: transportOptions,
    default: DEFAULT_TRANSPORT_OPTIONS,
    meaning:
      '`visibilityTimeout`: seconds after which the tasks of a dead worker go to others. `synchronous`: `full` survives a power cut, ' +
      '`normal` the death of any process. `allowNetworkFileSystem`: opens a database on NFS or SMB. The others are for Redis, see above.',
  },
  brokerUseSsl: {
    celeryName: 'broker_use_ssl',
    kind: useSsl,
    default: false,
    meaning: 'Encrypts the connections to the broker, as `rediss://` does, and says with which certificates.',
  },
  brokerConnectionRetry: {
    celeryName: 'broker_connection_retry',
    kind: flag(),
    default: true,
    meaning: 'Makes a lost connection again by itself; otherwise the next call tries once.',
  },
  brokerConnectionRetryOnStartup: {
    celeryName: 'broker_connection_retry_on_startup',
    kind: flag(),
    default: ({ values }) => values.brokerConnectionRetry,
    defaultText: 'that of `brokerConnectionRetry`',
    meaning: 'Lets a worker that starts wait for the broker instead of ending.',
  },
  brokerConnectionMaxRetries: {
    celeryName: 'broker_connection_max_retries',
    kind: retries,
    default: 0,
    meaning: 'How often a lost connection is tried again until the next call; 0 is for ever.',
  },
  brokerHeartbeat: {
    celeryName: 'broker_heartbeat',
    kind: seconds('from 0'),
    unit: 'seconds',
    default: 120,
    meaning: 'Accepted without effect: connections to Redis have no heartbeat; `healthCheckInterval` of `brokerTransportOptions` is what they have.',
  },
  resultBackendTransportOptions: {
    celeryName: 'result_backend_transport_options',
    kind: backendTransportOptions,
    default: {},
    meaning: 'How a result backend on Redis is found and used, see above.',
  },
  redisBackendUseSsl: {
    celeryName: 'redis_backend_use_ssl',
    kind: useSsl,
    default: ({ values }) => (values.resultBackend === values.brokerUrl ? values.brokerUseSsl : false),
    defaultText: '`brokerUseSsl` when `resultBackend` is the same place as `brokerUrl`, else false',
    meaning: 'Encrypts the connections to a result backend on Redis, as `rediss://` does, and says with which certificates.',
  },
  redisSocketTimeout: {
    celeryName: 'redis_socket_timeout',
    kind: seconds('above 0'),
    unit: 'seconds',
    default: undefined,
    defaultText: '12',
    meaning: 'How long a result backend on Redis may take to answer when it is asked whether it is there, at least 1.',
  },
  redisSocketConnectTimeout: {
    celeryName: 'redis_socket_connect_timeout',
    kind: seconds('above 0'),
    unit: 'seconds',
    default: undefined,
    defaultText: '`brokerConnectionTimeout`',
    meaning: 'How long one attempt to connect to it may take.',
  },
  redisSocketKeepalive: {
    celeryName: 'redis_socket_keepalive',
    kind: flag(),
    default: true,
    meaning: 'Lets the system look whether the connection to it still stands.',
  },
  redisBackendHealthCheckInterval: {
    celeryName: 'redis_backend_health_check_interval',
    kind: seconds('from 0'),
    unit: 'seconds',
    default: undefined,
    defaultText: '10',
    meaning: 'How often a result backend on Redis that says nothing is asked whether it is there; 0 is never.',
  },
  redisClientName: {
    celeryName: 'redis_client_name',
    kind: clientName(),
    default: undefined,
    defaultText: '`celeriac:` and the process id',
    meaning: 'What the server of the result backend calls our connections.',
  },
  redisRetryOnTimeout: {
    celeryName: 'redis_retry_on_timeout',
    kind: flag(),
    default: false,
    meaning: 'Accepted without effect: what may be repeated is repeated.',
  },
  redisMaxConnections: {
    celeryName: 'redis_max_connections',
    kind: integer(1),
    default: undefined,
    defaultText: 'none',
    meaning: 'Accepted without effect: there is one connection for commands and one for subscriptions.',
  },
  taskAlwaysEager: {
    celeryName: 'task_always_eager',
    aliases: ['alwaysEager', 'CELERY_ALWAYS_EAGER'],
    kind: flag(),
    default: false,
    meaning: 'Runs tasks at once in the calling process instead of sending them.',
  },
  taskEagerPropagates: {
    celeryName: 'task_eager_propagates',
    aliases: ['CELERY_EAGER_PROPAGATES_EXCEPTIONS'],
    kind: flag(),
    default: false,
    meaning: 'Makes the call itself fail when an eager task fails.',
  },
  taskDefaultQueue: {
    celeryName: 'task_default_queue',
    aliases: ['CELERY_DEFAULT_QUEUE'],
    kind: text(),
    default: 'celery',
    meaning: 'Queue of tasks that name none.',
  },
  taskDefaultPriority: {
    celeryName: 'task_default_priority',
    aliases: ['CELERY_DEFAULT_PRIORITY'],
    kind: integer(0, 9),
    default: 0,
    meaning: 'Priority of tasks that name none; 9 is the highest.',
  },
  taskIgnoreResult: {
    celeryName: 'task_ignore_result',
    aliases: ['CELERY_IGNORE_RESULT'],
    kind: flag(),
    default: false,
    meaning: 'Stores no results.',
  },
  taskTrackStarted: {
    celeryName: 'task_track_started',
    aliases: ['CELERY_TRACK_STARTED'],
    kind: flag(),
    default: true,
    meaning: 'Stores the state STARTED when a task begins.',
  },
  taskAcksLate: {
    celeryName: 'task_acks_late',
    aliases: ['CELERY_ACKS_LATE'],
    kind: flag(),
    default: true,
    meaning: 'Acknowledges a message after its task has run, not before.',
  },
  taskRejectOnWorkerLost: {
    celeryName: 'task_reject_on_worker_lost',
    aliases: ['CELERY_REJECT_ON_WORKER_LOST'],
    kind: flag(),
    default: true,
    meaning: 'Runs a task again when the process that ran it died.',
  },
  taskPackages: {
    kind: textList(),
    default: [],
    meaning: 'Installed packages whose functions may be run as tasks.',
  },
  taskMaxDeliveries: {
    kind: integer(1),
    default: 3,
    meaning: 'How many times a task is begun whose process, or whole worker, dies before it ends, until it is given up.',
  },
  taskMessageMaxSize: {
    kind: integer(1),
    unit: 'bytes',
    default: 16 * 1024 * 1024,
    meaning: 'Largest body of a message; a larger one is refused where it is sent, and where it is read.',
  },
  taskErrorMaxLength: {
    kind: integer(1),
    unit: 'characters',
    default: 65_536,
    meaning: 'Longest error text and traceback that are stored, each.',
  },
  taskUnknownDelay: {
    kind: seconds('from 0'),
    unit: 'seconds',
    default: 5,
    meaning: 'How long a task that a worker does not know waits before it is offered again.',
  },
  resultExpires: {
    celeryName: 'result_expires',
    aliases: ['CELERY_TASK_RESULT_EXPIRES'],
    kind: seconds('from 0'),
    unit: 'seconds',
    default: 86_400,
    meaning: 'How long results are kept; 0 keeps them for ever.',
  },
  resultExtended: {
    celeryName: 'result_extended',
    kind: flag(),
    default: true,
    meaning: 'Stores name, arguments, worker and queue with each result.',
  },
  acceptContent: {
    celeryName: 'accept_content',
    kind: acceptedContent,
    default: ['json'],
    meaning:
      'Serializers whose messages a worker runs: `json`, `msgpack`, `yaml`, or their content types. Others become dead letters. ' +
      '`pickle` is never read, since that runs code of the sender\'s choice.',
  },
  taskSerializer: {
    celeryName: 'task_serializer',
    kind: serializer,
    default: 'json',
    meaning:
      'How calls are written: `json`, `msgpack` (needs the package `msgpackr`) or `yaml` (needs `yaml`). Workers must accept it (`acceptContent`). ' +
      'A call of a function with more than plain data travels as a graph in any case.',
  },
  taskCompression: {
    celeryName: 'task_compression',
    aliases: ['CELERY_MESSAGE_COMPRESSION'],
    kind: compression,
    default: undefined,
    defaultText: 'none',
    meaning: 'How messages are compressed: `zlib` (also called `gzip`), `brotli` or `zstd`; Python needs a package for each of the last two. Any of them is read.',
  },
  resultSerializer: {
    celeryName: 'result_serializer',
    kind: serializer,
    default: 'json',
    meaning:
      'How results are written and read in Redis: `json`, `msgpack` (needs the package `msgpackr`) or `yaml` (needs `yaml`). ' +
      'A result does not say what it is in, so it must be the same in every process, those of Python too. Other result backends keep JSON: there it must be `json`.',
  },
  resultAcceptContent: {
    celeryName: 'result_accept_content',
    kind: acceptedContent,
    default: ({ values }) => [...new Set([...values.acceptContent, values.resultSerializer])],
    defaultText: '`acceptContent` and `resultSerializer`',
    meaning: 'Serializers whose results may be read; `resultSerializer`, in which all of them are, must be among them.',
  },
  resultCompression: {
    celeryName: 'result_compression',
    kind: compression,
    default: undefined,
    defaultText: 'none',
    meaning: 'Has no effect: as with Celery, results are not compressed in any store that there is here.',
  },
  sanitizeArguments: {
    kind: flag(),
    default: true,
    meaning: 'Replaces values of registered types by what `toWire` makes of them, and reads them again in the worker.',
  },
  secretKey: {
    kind: secret,
    default: undefined,
    defaultText: 'none: `secretKeyFile` is read',
    meaning: 'Signs messages and results; whoever has it can run code in your workers. The same on every machine.',
    isSecret: true,
  },
  secretKeyFallbacks: {
    kind: secretList,
    default: [],
    meaning: 'Former keys that are still accepted, but no longer signed with.',
    isSecret: true,
  },
  secretKeyFile: {
    kind: text(),
    default: undefined,
    defaultText: '`.celeriac/secret.key` in `root`, made when it is missing',
    meaning:
      'File with a key per line, of which the first signs and all are accepted; it is not read where there is a `secretKey`. ' +
      'Only its owner may read it (mode 600); a relative path starts at `root`.',
  },
  signatureLifetime: {
    kind: seconds('from 0'),
    unit: 'seconds',
    default: 2_592_000,
    meaning: 'How long a message may wait from its `eta`, or from when it was sent, until it is refused as one that somebody has sent again; 0 is for ever.',
  },
  timezone: {
    celeryName: 'timezone',
    kind: timeZone,
    default: 'UTC',
    meaning: "The application's time zone.",
  },
  workers: {
    kind: workers,
    default: 1,
    meaning: 'Local workers. Each may have `concurrency`, `queues`, `logLevel`, `pidfile` and `pool` of its own.',
  },
  startLocalWorkers: {
    kind: flag(),
    default: ({ values, env }) => env['NODE_ENV'] !== 'production' || isEmbedded(values.brokerUrl),
    defaultText: 'true; with `NODE_ENV=production` only for a broker that is embedded (`sqlite:`, `memory:`)',
    meaning: 'Starts the workers with the first task.',
  },
  startTimeout: {
    kind: seconds('above 0'),
    unit: 'seconds',
    default: 10,
    meaning: 'How long the local workers may take to start.',
  },
  logLevel: {
    aliases: ['loglevel'],
    kind: logLevel,
    default: 'info',
    meaning: 'Least severe messages that are logged.',
  },
  logDir: {
    kind: folder,
    default: ({ values }) => join(values.root, '.celeriac'),
    defaultText: '`.celeriac/` in `root`',
    meaning: 'Folder of logs and pid files; a relative one starts at the working directory.',
  },
  workerConcurrency: {
    celeryName: 'worker_concurrency',
    aliases: ['CELERYD_CONCURRENCY'],
    kind: integer(1),
    default: () => availableParallelism(),
    defaultText: 'the number of cores',
    meaning: 'How many tasks a worker runs at once.',
  },
  workerPool: {
    celeryName: 'worker_pool',
    aliases: ['CELERYD_POOL'],
    kind: poolName,
    default: 'prefork',
    meaning: "What runs tasks: child processes, one child's event loop, or the worker itself.",
  },
  workerPrefetchMultiplier: {
    celeryName: 'worker_prefetch_multiplier',
    aliases: ['CELERYD_PREFETCH_MULTIPLIER'],
    kind: integer(1),
    default: 4,
    meaning: 'Messages a worker holds for each task that it runs at once; two to eight times as many while tasks are over in a blink. 1 holds none ahead.',
  },
  workerSoftShutdownTimeout: {
    celeryName: 'worker_soft_shutdown_timeout',
    aliases: ['CELERYD_SOFT_SHUTDOWN_TIMEOUT'],
    kind: seconds('from 0'),
    unit: 'seconds',
    default: 8,
    meaning: 'How long a worker that is stopped by itself lets its tasks finish; when the application ends they have half a second.',
  },
  dashboard: {
    aliases: ['flower', 'CELERY_FLOWER'],
    kind: switchedOff('the dashboard'),
    default: false,
    meaning: 'Starts the dashboard with the workers; only `false` in this version.',
  },
  scheduler: {
    kind: switchedOff('the scheduler (beat)'),
    default: false,
    meaning: 'Starts beat with the workers; only `false` in this version.',
  },
}

/** Every option's name, in the order of the table. */
export const OPTION_NAMES: readonly OptionName[] = Object.keys(OPTIONS) as OptionName[]
