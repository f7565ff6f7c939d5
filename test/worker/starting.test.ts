import { expect, test } from 'vitest'

import { testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, freePort, RedisServer } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

describeRedis('a worker whose broker is not there yet', () => {
  test('waits for it, says so once, and then takes messages', async () => {
    const port = await freePort()
    const application = testApplication({ brokerUrl: `redis://127.0.0.1:${port}/0`, brokerConnectionTimeout: 0.5 })
    const starting = application.startWorker()
    await expect(application.celery.submit(tasks.add, 1, 2)).rejects.toThrow(`127.0.0.1:${port}/0" cannot be reached`)

    const server = await RedisServer.start({ port })
    const { log } = await within(starting, 'the worker to start', 10_000)

    expect(await application.celery.submit(tasks.add, 1, 2).result({ timeout: 10 })).toBe(3)
    expect(log.lines.filter((line) => line.includes('trying again'))).toHaveLength(1)
    await application.close()
    await server.dispose()
  })

  test('gives up at once when it is told not to wait', async () => {
    const application = testApplication({ brokerUrl: `redis://127.0.0.1:${await freePort()}/0`, brokerConnectionTimeout: 0.5, brokerConnectionRetryOnStartup: false })

    await expect(application.startWorker()).rejects.toThrow('cannot be reached')

    await application.close()
  })
})
