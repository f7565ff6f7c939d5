/** Tasks that the captured messages ask for; each leaves a line when it runs. */
import { appendFileSync } from 'node:fs'

import { Celery, currentTask } from '../../src/index.ts'

export const celery: Celery = new Celery('acceptance', { startLocalWorkers: false })

celery.task({ name: 'demo.add' }, (x: number, y: number) => {
  trace()
  return x + y
})

celery.task({ name: 'demo.noop' }, trace)

function trace(): void {
  appendFileSync(process.env['ACCEPTANCE_TRACE'] ?? '', `${currentTask()?.id}\n`)
}
