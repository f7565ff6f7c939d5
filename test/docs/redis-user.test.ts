import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { startWeb, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { ROOT } from './code-blocks.ts'
import { createProject, linkBuilt, plainEnvironment } from './project.ts'

const SCRIPT = `
import { Celery } from 'celeriac'

const celery = new Celery()
const futures = await Promise.all(Array.from({ length: 100 }, (_, index) => celery.submit((x) => 2 * x, index)))
const later = celery.with({ countdown: 1 }).submit(() => 'later')
const results = await Promise.all(futures.map((future) => future.result()))
console.log(results.reduce((sum, each) => sum + each), await later.result())
await celery.close()
`

failOnLeftovers()

describeRedis('a user of Redis with few rights', () => {
  test('can do with those that the configuration page names', async () => {
    const server = await RedisServer.start()
    const folder = createProject(['redis'])
    let script: WebProcess | undefined
    try {
      const admin = await server.client()
      await admin.sendCommand(documentedCommand())
      linkBuilt(folder)
      writeFileSync(join(folder, 'script.ts'), SCRIPT)
      const url = `redis://app:secret@127.0.0.1:${server.port}/0`

      script = startWeb(['script.ts'], plainEnvironment({ CELERY_BROKER_URL: url }), folder)
      const { code } = await script.ended
      const refused = await admin.aclLog()

      expect({ code, output: script.output() }).toEqual({ code: 0, output: '9900 later\n' })
      // The one thing that it tries, and does without.
      expect(refused.filter(({ reason, object }) => reason !== 'channel' || !/^celery-task-meta-\*\w+$/.test(object))).toEqual([])
    } finally {
      script?.child.kill('SIGKILL')
      await server.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** The words of the page's command, without the quotes of the shell. */
function documentedCommand(): string[] {
  const page = readFileSync(`${ROOT}/docs/configuration.md`, 'utf8')
  const command = /redis-cli (ACL SETUSER(?:\\\n|.)*)/.exec(page)?.[1] ?? ''
  return command.replaceAll(/[\\\n']/g, ' ').trim().split(/ +/)
}
