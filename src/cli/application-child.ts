/** The main module of the process that loads an application for `celeriac worker` and tells what it is. */
import { applications } from '../app.ts'
import { absoluteSpec } from '../worker/load-application.ts'
import type { FactsReport } from './application-facts.ts'
import { failureOf } from './failure.ts'
import { loadCelery, type LoadRequest } from './load-celery.ts'

async function look(request: LoadRequest): Promise<FactsReport> {
  try {
    const celery = await loadCelery(request)
    const spec = request.spec === undefined ? undefined : absoluteSpec(request.spec, process.cwd())
    const tasks = [...new Set(applications().flatMap((app) => app.registry.names()))].sort()
    return { facts: { conf: celery.conf.forChildren(), spec, tasks } }
  } catch (error) {
    const failure = failureOf(error)
    return { failure: failure.message, exitCode: failure.exitCode }
  }
}

process.once('message', (request) => {
  void look(request as LoadRequest).then((report) => {
    // The application may hold timers and sockets: this process has served its purpose.
    if (process.connected) process.send?.(report, () => process.exit(0))
    else process.exit(0)
  })
})
process.once('disconnect', () => process.exit(0))
