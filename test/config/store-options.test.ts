import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { storeOptions, type StoreOptions } from '../../src/config/store-options.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'

const around = { root: '/', clock: systemClock, logger: silentLogger }

function optionsOf(options: Record<string, unknown>, store: 'broker' | 'backend' = 'broker'): StoreOptions {
  return storeOptions(loadConfig({ options, env: {} }), around, store)
}

function redisOf(options: Record<string, unknown>, store: 'broker' | 'backend' = 'broker'): NonNullable<StoreOptions['redis']> {
  const { redis } = optionsOf(options, store)
  if (redis === undefined) throw new Error('Expected the settings of Redis.')
  return redis
}

describe('the options of a store', () => {
  test('say nothing of Redis for another store', () => {
    expect(optionsOf({}).redis).toBeUndefined()
    expect(optionsOf({ broker: 'redis://h', backend: 'memory:' }, 'backend').redis).toBeUndefined()
  })

  test('have a short lease for our own consumers, and the hour of Celery for those of Python', () => {
    expect(optionsOf({})).toMatchObject({ visibilityTimeoutMs: 10_000, foreignVisibilityTimeoutMs: 3_600_000 })
    expect(optionsOf({ brokerTransportOptions: { visibility_timeout: 3 } })).toMatchObject({ visibilityTimeoutMs: 3000, foreignVisibilityTimeoutMs: 3000 })
  })

  test('have the time of the retry policy for the result backend alone', () => {
    const options = { broker: 'redis://h', result_backend_transport_options: { retry_policy: { timeout: 1.5, max_retries: 3 } } }

    expect(optionsOf(options, 'backend').connectionTimeoutMs).toBe(1500)
    expect(optionsOf(options).connectionTimeoutMs).toBe(4000)
  })

  test('have the names of kombu where nothing is said', () => {
    expect(redisOf({ broker: 'redis://h' })).toEqual({
      address: expect.objectContaining({ at: { host: 'h', port: 6379 }, database: 0 }),
      connection: {},
      keyPrefix: '',
      fanoutPrefix: '/{db}.',
      sep: '\x06\x16',
      prioritySteps: [0, 3, 6, 9],
      queueOrderStrategy: 'round_robin',
      unackedKey: 'unacked',
      unackedIndexKey: 'unacked_index',
      unackedMutexKey: 'unacked_mutex',
      unackedMutexExpireMs: 300_000,
      unackedRestoreLimit: undefined,
      isChordOrdered: true,
      resultSerializer: 'json',
    })
  })

  test("take the transport options under Celery's names", () => {
    const broker_transport_options = {
      global_keyprefix: 'shop:',
      fanout_prefix: false,
      fanout_patterns: false,
      sep: ':',
      priority_steps: [0, 1, 2],
      queue_order_strategy: 'sorted',
      socket_timeout: 30,
      socket_connect_timeout: 2,
      socket_keepalive: false,
      health_check_interval: 25,
      client_name: 'shop',
      unacked_key: 'u',
      unacked_index_key: 'ui',
      unacked_mutex_key: 'um',
      unacked_mutex_expire: 60,
      unacked_restore_limit: 5,
      max_connections: 10,
      retry_on_timeout: true,
      socket_keepalive_options: {},
      ack_emulation: true,
      max_retries: 3,
      interval_start: 0,
      interval_step: 0.2,
      interval_max: 1,
    }

    expect(redisOf({ broker: 'redis://h', broker_transport_options, broker_connection_max_retries: 7 })).toMatchObject({
      connection: { clientName: 'shop', connectTimeoutMs: 2000, answerTimeoutMs: 30_000, healthCheckMs: 25_000, socketKeepAlive: false, maxRetries: 7 },
      keyPrefix: 'shop:',
      fanoutPrefix: '',
      sep: ':',
      prioritySteps: [0, 1, 2],
      queueOrderStrategy: 'sorted',
      unackedKey: 'u',
      unackedIndexKey: 'ui',
      unackedMutexKey: 'um',
      unackedMutexExpireMs: 60_000,
      unackedRestoreLimit: 5,
    })
  })

  test('refuse to lose messages with their worker', () => {
    expect(() => optionsOf({ broker_transport_options: { ack_emulation: false } })).toThrow('a message is lost with the worker that took it')
  })

  test.each([
    [undefined, ''],
    ['', ''],
    ['shop', 'shop_'],
    ['shop:', 'shop:'],
    ['shop_', 'shop_'],
    ['shop-', 'shop-'],
    ['shop.', 'shop.'],
  ])('join the prefix %j of results as Celery does', (global_keyprefix, keyPrefix) => {
    expect(redisOf({ broker: 'redis://h', result_backend_transport_options: { global_keyprefix } }, 'backend').keyPrefix).toBe(keyPrefix)
  })

  test('take no prefix of the broker for results', () => {
    expect(redisOf({ broker: 'redis://h', broker_transport_options: { global_keyprefix: 'shop' } }, 'backend').keyPrefix).toBe('')
  })

  test('have the settings of the sockets of each store', () => {
    const options = {
      broker: 'redis://h',
      redis_socket_timeout: 0.1,
      redis_socket_connect_timeout: 3,
      redis_socket_keepalive: false,
      redis_backend_health_check_interval: 0,
      redis_client_name: 'results',
      broker_connection_retry: false,
    }

    expect(redisOf(options, 'backend').connection).toEqual({ clientName: 'results', connectTimeoutMs: 3000, answerTimeoutMs: 1000, healthCheckMs: 0, socketKeepAlive: false, maxRetries: 1 })
    expect(redisOf(options).connection).toEqual({ maxRetries: 1 })
  })

  test('encrypt for both stores where they are one place, and for the broker alone where not', () => {
    const broker_use_ssl = { ssl_cert_reqs: 'CERT_REQUIRED', ssl_ca_certs: '/ca', ssl_certfile: '/cert', ssl_keyfile: '/key' }
    const tls = { verify: 'required', caFile: '/ca', certFile: '/cert', keyFile: '/key', checkHostname: true }

    expect(redisOf({ broker: 'redis://h', broker_use_ssl }).address.tls).toEqual(tls)
    expect(redisOf({ broker: 'redis://h', broker_use_ssl }, 'backend').address.tls).toEqual(tls)
    expect(redisOf({ broker: 'redis://h', backend: 'redis://i', broker_use_ssl }, 'backend').address.tls).toBeUndefined()
    expect(redisOf({ broker: 'redis://h', backend: 'redis://i', redis_backend_use_ssl: true }, 'backend').address.tls).toMatchObject({ verify: 'required' })
  })

  test('find the master of sentinels for both stores where they are one place', () => {
    const options = { broker: 'sentinel://:pw@a;sentinel://b:1/2', brokerTransportOptions: { master_name: 'm', sentinel_kwargs: { password: 'sp' }, min_other_sentinels: 1 } }

    for (const store of ['broker', 'backend'] as const) {
      expect(redisOf(options, store).address).toMatchObject({
        at: { sentinels: [{ host: 'a', port: 26_379 }, { host: 'b', port: 1 }], masterName: 'm', password: 'sp', minOtherSentinels: 1 },
        password: 'pw',
        database: 2,
      })
    }
  })

  test('need the name of the master, and hide the password when they say so', () => {
    const open = (): unknown => optionsOf({ broker: 'sentinel://:hunter2@a' })

    expect(open).toThrow(ImproperlyConfigured)
    expect(open).toThrow('"brokerUrl" needs the name of the master: set "masterName" in the transport options ("sentinel://:***@a").')
  })

  test('take a list of URLs as Celery does', () => {
    expect(redisOf({ broker: ['redis://a', 'redis://b/1'] }).address).toMatchObject({ at: { host: 'a' }, alternates: [{ at: { host: 'b' }, database: 1 }] })
  })

  test('never show the password of the sentinels', () => {
    const config = loadConfig({ options: { brokerTransportOptions: { sentinelKwargs: { password: 'hunter2' } } }, env: {} })

    expect(JSON.stringify(config.report())).not.toContain('hunter2')
    expect(JSON.stringify(config.forChildren())).toContain('hunter2')
  })

  test('have the serializer of results on Redis', () => {
    expect(redisOf({ resultBackend: 'redis://h', resultSerializer: 'yaml' }, 'backend').resultSerializer).toBe('yaml')
    expect(redisOf({ broker: 'redis://h', resultBackend: 'redis://h', resultSerializer: 'yaml' }).resultSerializer).toBe('json')
  })

  test.each(['memory:', 'sqlite:results.db'])('refuse another serializer of results than JSON where %s keeps them', (resultBackend) => {
    const refused = `"resultSerializer" is "msgpack", but the result backend "${resultBackend}" keeps JSON. Use "json", or a result backend on Redis.`

    expect(() => optionsOf({ resultBackend, resultSerializer: 'msgpack' }, 'backend')).toThrow(new ImproperlyConfigured([refused]))
    expect(() => optionsOf({ resultBackend, resultSerializer: 'msgpack' })).not.toThrow()
    expect(() => optionsOf({ resultBackend, resultSerializer: 'msgpack', taskAlwaysEager: true }, 'backend')).not.toThrow()
  })

  test('refuse a serializer of results that is not accepted', () => {
    const refused = '"resultAcceptContent" must have "yaml" among them, in which results are ("resultSerializer"), not ["json"].'

    expect(() => optionsOf({ resultBackend: 'redis://h', resultSerializer: 'yaml', resultAcceptContent: ['json'] }, 'backend')).toThrow(new ImproperlyConfigured([refused]))
    expect(() => optionsOf({ resultBackend: 'redis://h', resultSerializer: 'yaml', acceptContent: ['json'] }, 'backend')).not.toThrow()
  })
})
