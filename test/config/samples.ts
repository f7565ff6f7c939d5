import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ConfigValues, OptionName } from '../../src/config/celery-options.ts'

/** For one option: a value that is not its default, the same as text of the environment, and what is wrong. */
export interface Sample<T> {
  readonly written: unknown
  readonly text: string
  readonly inForce: T
  readonly wrong: unknown
}

const EXPANDED_TRANSPORT = { visibilityTimeout: 300, synchronous: 'full', allowNetworkFileSystem: false, prioritySteps: [0, 5], sentinelKwargs: { ssl: true } } as const

/** One {@link Sample} for every option. */
export const SAMPLES: { readonly [Name in OptionName]: Sample<ConfigValues[Name]> } = {
  root: { written: tmpdir(), text: tmpdir(), inForce: resolve(tmpdir()), wrong: join(tmpdir(), 'no', 'such', 'folder') },
  main: { written: 'shop', text: 'shop', inForce: 'shop', wrong: '' },
  app: { written: './src/app.ts:app', text: './src/app.ts:app', inForce: './src/app.ts:app', wrong: 7 },
  include: { written: ['./a.ts', './b.ts'], text: './a.ts, ./b.ts', inForce: ['./a.ts', './b.ts'], wrong: ['./a.ts', 7] },
  brokerUrl: { written: 'memory:', text: 'memory:', inForce: 'memory:', wrong: 'amqp://localhost' },
  brokerReadUrl: { written: ['redis://a', 'redis://b'], text: 'redis://a;redis://b', inForce: 'redis://a;redis://b', wrong: 'redis://a/x' },
  brokerWriteUrl: { written: 'memory:', text: ' memory: ', inForce: 'memory:', wrong: [] },
  resultBackend: { written: 'memory://r', text: 'memory://r', inForce: 'memory://r', wrong: 'nowhere' },
  brokerConnectionTimeout: { written: '500ms', text: '0.5', inForce: 0.5, wrong: 0 },
  brokerTransportOptions: {
    written: { visibility_timeout: '5m', synchronous: 'FULL', priority_steps: [0, 5], sentinel_kwargs: { ssl: true } },
    text: '{"visibilityTimeout": 300, "synchronous": "full", "prioritySteps": [0, 5], "sentinelKwargs": {"ssl": true}}',
    inForce: EXPANDED_TRANSPORT,
    wrong: { visibilityTimeot: 5 },
  },
  brokerUseSsl: { written: { ssl_cert_reqs: 'CERT_NONE' }, text: '{"sslCertReqs": "none"}', inForce: { sslCertReqs: 'none' }, wrong: { ssl_cert_reqs: 'maybe' } },
  brokerConnectionRetry: { written: false, text: 'no', inForce: false, wrong: 'no' },
  brokerConnectionRetryOnStartup: { written: false, text: '0', inForce: false, wrong: 0 },
  brokerConnectionMaxRetries: { written: 5, text: '5', inForce: 5, wrong: -1 },
  brokerHeartbeat: { written: '30s', text: '30', inForce: 30, wrong: -1 },
  resultBackendTransportOptions: {
    written: { global_keyprefix: 'shop', retry_policy: { timeout: '5s' } },
    text: '{"globalKeyprefix": "shop", "retryPolicy": {"timeout": 5}}',
    inForce: { globalKeyprefix: 'shop', retryPolicy: { timeout: 5 } },
    wrong: { global_keyprefx: 'shop' },
  },
  redisBackendUseSsl: { written: true, text: 'yes', inForce: {}, wrong: 1 },
  redisSocketTimeout: { written: '1m', text: '60', inForce: 60, wrong: 0 },
  redisSocketConnectTimeout: { written: 3, text: '3', inForce: 3, wrong: 'soon' },
  redisSocketKeepalive: { written: false, text: 'off', inForce: false, wrong: 'off' },
  redisBackendHealthCheckInterval: { written: 0, text: '0', inForce: 0, wrong: -1 },
  redisClientName: { written: 'shop:web', text: 'shop:web', inForce: 'shop:web', wrong: 'two words' },
  redisRetryOnTimeout: { written: true, text: 'true', inForce: true, wrong: 1 },
  redisMaxConnections: { written: 20, text: '20', inForce: 20, wrong: 0 },
  taskAlwaysEager: { written: true, text: 'yes', inForce: true, wrong: 'true' },
  taskEagerPropagates: { written: true, text: '1', inForce: true, wrong: 1 },
  taskDefaultQueue: { written: 'mail', text: 'mail', inForce: 'mail', wrong: 5 },
  taskDefaultPriority: { written: 9, text: '9', inForce: 9, wrong: 10 },
  taskIgnoreResult: { written: true, text: 'true', inForce: true, wrong: null },
  taskTrackStarted: { written: false, text: '0', inForce: false, wrong: 'no' },
  taskAcksLate: { written: false, text: 'false', inForce: false, wrong: 0 },
  taskRejectOnWorkerLost: { written: false, text: 'no', inForce: false, wrong: {} },
  taskPackages: { written: ['pkg', '@scope/pkg'], text: 'pkg, @scope/pkg', inForce: ['pkg', '@scope/pkg'], wrong: 'pkg' },
  taskMaxDeliveries: { written: 5, text: '5', inForce: 5, wrong: 0 },
  taskMessageMaxSize: { written: 1_000_000, text: '1000000', inForce: 1_000_000, wrong: 1.5 },
  taskErrorMaxLength: { written: 1000, text: '1000', inForce: 1000, wrong: '1000' },
  taskUnknownDelay: { written: '2h', text: '2h', inForce: 7200, wrong: '2 days' },
  resultExpires: { written: 0, text: '0', inForce: 0, wrong: -1 },
  resultExtended: { written: false, text: 'off', inForce: false, wrong: 'off' },
  acceptContent: { written: ['application/x-msgpack', 'json'], text: 'msgpack, json', inForce: ['msgpack', 'json'], wrong: ['json', 'pickle'] },
  taskSerializer: { written: 'msgpack', text: 'application/x-msgpack', inForce: 'msgpack', wrong: 'pickle' },
  taskCompression: { written: 'zlib', text: 'gzip', inForce: 'zlib', wrong: 'bzip2' },
  resultAcceptContent: { written: ['yaml', 'json'], text: 'application/x-yaml, json', inForce: ['yaml', 'json'], wrong: ['yaml', 'pickle'] },
  resultSerializer: { written: 'yaml', text: 'application/x-yaml', inForce: 'yaml', wrong: 'pickle' },
  resultCompression: { written: 'zstandard', text: 'zstd', inForce: 'zstd', wrong: 'xz' },
  sanitizeArguments: { written: false, text: 'no', inForce: false, wrong: 'no' },
  secretKey: { written: 'correct horse battery', text: ' correct horse battery\n', inForce: 'correct horse battery', wrong: 'fifteen letters' },
  secretKeyFallbacks: {
    written: ['correct horse battery', 'another horse battery'],
    text: 'correct horse battery, another horse battery',
    inForce: ['correct horse battery', 'another horse battery'],
    wrong: ['correct horse battery', 'short'],
  },
  secretKeyFile: { written: './app.key', text: './app.key', inForce: './app.key', wrong: '' },
  signatureLifetime: { written: '2h', text: '7200', inForce: 7200, wrong: -1 },
  timezone: { written: 'Europe/Paris', text: 'Europe/Paris', inForce: 'Europe/Paris', wrong: 'Europe/Atlantis' },
  workers: {
    written: { foo: { concurrency: 10, loglevel: 'ERROR', queues: 'low, high' }, baz: {} },
    text: '{"foo": {"concurrency": 10, "logLevel": "error", "queues": ["low", "high"]}, "baz": {}}',
    inForce: { foo: { concurrency: 10, logLevel: 'error', queues: ['low', 'high'] }, baz: {} },
    wrong: true,
  },
  startLocalWorkers: { written: false, text: 'no', inForce: false, wrong: 'no' },
  startTimeout: { written: 2, text: '2', inForce: 2, wrong: 'soon' },
  logLevel: { written: 'WARN', text: 'Warning', inForce: 'warning', wrong: 'loud' },
  logDir: { written: '.', text: '.', inForce: process.cwd(), wrong: '' },
  workerConcurrency: { written: 64, text: '64', inForce: 64, wrong: Number.NaN },
  workerPool: { written: 'async', text: 'async', inForce: 'async', wrong: 'gevent' },
  workerPrefetchMultiplier: { written: 1, text: '1', inForce: 1, wrong: 0 },
  workerSoftShutdownTimeout: { written: 0, text: '0', inForce: 0, wrong: Number.POSITIVE_INFINITY },
  dashboard: { written: false, text: 'false', inForce: false, wrong: true },
  scheduler: { written: false, text: '0', inForce: false, wrong: true },
}
