import { describe, expect, test } from 'vitest'
import { isEmbedded, maskUrl, parseStoreUrl } from '../../src/config/url.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'

describe('the URL of a store', () => {
  test.each([
    ['sqlite:', { scheme: 'sqlite', path: '' }],
    ['sqlite://', { scheme: 'sqlite', path: '' }],
    ['SQLite:jobs.db', { scheme: 'sqlite', path: 'jobs.db' }],
    ['sqlite:./data/my jobs%20#1.db', { scheme: 'sqlite', path: './data/my jobs%20#1.db' }],
    ['sqlite:///var/jobs.db', { scheme: 'sqlite', path: '/var/jobs.db' }],
    ['sqlite:///C:/jobs.db', { scheme: 'sqlite', path: 'C:/jobs.db' }],
    ['memory:', { scheme: 'memory', name: '' }],
    ['memory://', { scheme: 'memory', name: '' }],
    ['memory://jobs', { scheme: 'memory', name: 'jobs' }],
  ])('%s is understood', (url, store) => {
    expect(parseStoreUrl(url)).toEqual(store)
    expect(isEmbedded(url)).toBe(true)
  })

  test.each(['redis://h', 'rediss://h/1', 'redis+socket:///run/redis.sock', 'sentinel://h;sentinel://i', 'redis://a;redis://b'])('%s is a server', (url) => {
    expect(parseStoreUrl(url)).toEqual({ scheme: 'redis', url })
    expect(isEmbedded(url)).toBe(false)
  })

  test.each(['amqp://h', 'amqps://h', 'rpc://', 'cache+memory://'])(
    '%s is known but not available in this version',
    (url) => {
      const scheme = url.slice(0, url.indexOf(':') + 1)

      expect(() => parseStoreUrl(url)).toThrow(`The URL uses "${scheme}", which is not available in this version ("${url}"). Use "sqlite:"`)
      expect(isEmbedded(url)).toBe(false)
    },
  )

  test.each([
    ['sqllite:x.db', 'did you mean "sqlite:"?'],
    ['sqlite', 'did you mean "sqlite:"?'],
    ['memroy:', 'did you mean "memory:"?'],
    ['redsi://h', 'did you mean "redis:"?'],
    ['aqmp://h', 'did you mean "amqp:" (which is not available in this version)?'],
    ['redis://:secret@h/mail', 'names the database "mail"; databases of Redis are numbers from 0, such as "redis://host:6379/1" ("redis://:***@h/mail").'],
    ['redis://h?sll_cert_reqs=none', 'has the unknown parameter "sll_cert_reqs"'],
    ['localhost:6379', 'has the unknown scheme "localhost:" ("localhost:6379"). Use'],
    ['', 'must be a URL such as "sqlite:"'],
    ['sqlite::memory:', 'must be "memory:" for a store in memory'],
    ['sqlite://host/jobs.db', 'names a host where a file is expected'],
    ['sqlite:jobs.db?mode=ro', 'takes no query'],
    ['sqlite:a\0b', 'has a zero byte in its path'],
  ])('%j is refused with advice', (url, advice) => {
    expect(() => parseStoreUrl(url)).toThrow(ImproperlyConfigured)
    expect(() => parseStoreUrl(url)).toThrow(advice)
  })
})

describe('masking', () => {
  test.each([
    ['redis://:secret@h:6379/0', 'redis://:***@h:6379/0'],
    ['amqp://me:secret@h//', 'amqp://me:***@h//'],
    ['amqp://me:se@cr/e?t#@h/v', 'amqp://me:***@h/v'],
    ['sentinel://:secret@a:1;sentinel://:secret@b:1', 'sentinel://:***@a:1;sentinel://:***@b:1'],
    ['redis://:se;cret@h', 'redis://:***@h'],
    ['redis://://secret@h', 'redis://:***@h'],
    ['redis:/me:secret@h', 'redis:***@h'],
    ['me:secret@h', 'me:***@h'],
    ['me:sec://ret@h', 'me:***@h'],
    ['redis:me:secret@h', 'redis:***@h'],
    ['rediss://h/0?password=secret&ssl_cert_reqs=none', 'rediss://h/0?password=***&ssl_cert_reqs=none'],
    ['amqp://me:sec\nret@h', 'amqp://me:***@h'],
    ['https://h/?api_key=secret', 'https://h/?api_key=***'],
  ])('hides the secret of %j', (url, masked) => {
    expect(maskUrl(url)).toBe(masked)
  })

  test.each(['sqlite:', 'sqlite:jobs@2.db', 'sqlite:///srv/a:b@c/jobs.db', 'memory://jobs', 'redis://localhost:6379/0', 'amqp://me@h'])(
    'leaves %s as it is',
    (url) => {
      expect(maskUrl(url)).toBe(url)
    },
  )
})
