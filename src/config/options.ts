import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { ConfigValues, OptionName } from './celery-options.ts'
import { flag, integer, type Kind, kind, seconds, text, textList } from './kinds.ts'
import { acceptedContent, serializer, switchedOff } from './limited-kinds.ts'
import { projectName, projectRoot } from './root.ts'
import { secret, secretList } from './secret-kinds.ts'
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
    meaning: 'Where messages wait; `sqlite:` is the file `.celeriac/celeriac.db` in the project, `memory:` is for eager mode and tests within one process.',
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
      '`normal` the death of any process. `allowNetworkFileSystem`: opens a database on NFS or SMB.',
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
    meaning: 'Content types that a worker reads; only `json` in this version.',
  },
  taskSerializer: {
    celeryName: 'task_serializer',
    kind: serializer,
    default: 'json',
    meaning: 'How messages are written; only `json` in this version.',
  },
  resultSerializer: {
    celeryName: 'result_serializer',
    kind: serializer,
    default: 'json',
    meaning: 'How results are written; only `json` in this version.',
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
    meaning: 'Messages a worker holds for each task that it runs at once.',
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
