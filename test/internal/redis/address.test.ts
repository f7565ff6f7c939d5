import { describe, expect, test } from 'vitest'
import { ImproperlyConfigured } from '../../../src/errors.ts'
import { parseRedisUrl, redisUrlProblem } from '../../../src/internal/redis/address.ts'

const TLS = { verify: 'required', caFile: undefined, certFile: undefined, keyFile: undefined, checkHostname: true }

describe('the URL of a Redis', () => {
  test('is this machine, its usual port and database 0 where nothing is said', () => {
    expect(parseRedisUrl('redis://')).toEqual({
      at: { host: 'localhost', port: 6379 },
      database: 0,
      username: undefined,
      password: undefined,
      tls: undefined,
      alternates: [],
    })
  })

  test.each([
    ['redis://h', { at: { host: 'h', port: 6379 } }],
    ['REDIS://h:7000/', { at: { host: 'h', port: 7000 }, database: 0 }],
    ['redis://h/3', { database: 3 }],
    ['redis://h//3', { database: 3 }],
    ['redis://h?db=4', { database: 4 }],
    ['redis://h?virtual_host=/4', { database: 4 }],
    ['redis://:s3cret@h', { username: undefined, password: 's3cret' }],
    ['redis://me:p%40ss%2F%3F%23@h', { username: 'me', password: 'p@ss/?#' }],
    ['redis://me:p@s/s@h:1/2', { username: 'me', password: 'p@s/s', at: { host: 'h', port: 1 }, database: 2 }],
    ['redis://me@h', { username: 'me', password: undefined }],
    ['redis://[::1]:6380/1', { at: { host: '::1', port: 6380 }, database: 1 }],
    ['redis://h?health_check_interval=5&socket_timeout=3', { tls: undefined }],
    ['rediss://h', { tls: TLS }],
    ['rediss://h?ssl_cert_reqs=CERT_NONE&ssl_ca_certs=/ca%20s&ssl_certfile=/c&ssl_keyfile=/k', { tls: { ...TLS, verify: 'none', caFile: '/ca s', certFile: '/c', keyFile: '/k' } }],
    ['rediss://h?ssl_cert_reqs=optional&ssl_check_hostname=false', { tls: { ...TLS, verify: 'optional', checkHostname: false } }],
    ['redis+socket:///run/my%20redis.sock', { at: { path: '/run/my redis.sock' }, database: 0 }],
    ['redis+socket://:pw@/run/redis.sock?virtual_host=7', { at: { path: '/run/redis.sock' }, database: 7, password: 'pw' }],
    ['redis+socket:///run/redis.sock?db=7', { database: 7 }],
  ])('%s is understood', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected)
  })

  test('names several servers, tried in turn', () => {
    const { at, alternates } = parseRedisUrl('redis://a/1;rediss://:x@b:7;')

    expect(at).toEqual({ host: 'a', port: 6379 })
    expect(alternates).toEqual([expect.objectContaining({ at: { host: 'b', port: 7 }, password: 'x', tls: TLS, alternates: [] })])
  })

  test('names several sentinels, of which any password is the one of the master', () => {
    const options = { masterName: 'm', sentinelUsername: 'u', sentinelPassword: 'p', sentinelTls: true, minOtherSentinels: 2 }

    expect(parseRedisUrl('sentinel://a;sentinel://:pw@b:7/3', options)).toMatchObject({
      at: { sentinels: [{ host: 'a', port: 26_379 }, { host: 'b', port: 7 }], masterName: 'm', username: 'u', password: 'p', tls: TLS, minOtherSentinels: 2 },
      password: 'pw',
      database: 3,
      tls: undefined,
      alternates: [],
    })
  })

  test('wins over the settings, which add to it', () => {
    const tls = { verify: 'none', caFile: '/ca' } as const

    expect(parseRedisUrl('redis://h', { tls: {} }).tls).toEqual(TLS)
    expect(parseRedisUrl('rediss://h?ssl_cert_reqs=required', { tls }).tls).toEqual({ ...TLS, caFile: '/ca' })
  })

  test.each([
    ['redis:', 'must look like "redis://user:password@host:6379/0"'],
    ['redis://h/mail', 'names the database "mail"; databases of Redis are numbers from 0'],
    ['redis://h/-1', 'names the database "-1"'],
    ['redis://h/1.5', 'names the database "1.5"'],
    ['redis://h:0', 'has the port 0'],
    ['redis://h:65536', 'has the port 65536'],
    ['redis://h:x', 'has a host or port that cannot be read ("h:x")'],
    ['redis://a:1,b:2', 'must repeat the scheme before each host'],
    ['redis://a:1;b:2', 'must repeat the scheme before each host'],
    ['redis://:hunter?2@h', 'write "?", "#" and "%" in a password as %3F, %23 and %25'],
    ['redis://h:1:2', 'has a host or port that cannot be read ("h:1:2")'],
    ['redis://:50%@h', 'has a "%" that begins no escape'],
    ['redis://h?sll_cert_reqs=none', 'has the unknown parameter "sll_cert_reqs"'],
    ['redis://h?ssl_cert_reqs=none', 'write "rediss://"'],
    ['rediss://h?ssl_cert_reqs=maybe', 'has ssl_cert_reqs "maybe"'],
    ['rediss://h?ssl_version=1', 'has the unknown TLS setting "ssl_version"'],
    ['redis+socket://run/redis.sock', 'must name an absolute path'],
    ['sentinel://a;redis://b', 'mixes "sentinel:" with other schemes'],
    ['', 'is empty'],
  ])('%j is refused with advice', (url, advice) => {
    expect(redisUrlProblem(url)).toContain(advice)
    expect(() => parseRedisUrl(url, { masterName: 'm' })).toThrow(ImproperlyConfigured)
  })

  test('of sentinels needs the name of the master', () => {
    expect(() => parseRedisUrl('sentinel://a')).toThrow('needs the name of the master: set "masterName" in the transport options')
    expect(redisUrlProblem('sentinel://a')).toBeUndefined()
  })
})
