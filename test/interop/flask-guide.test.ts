import { afterAll, beforeAll, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { type BothSides, bothSides } from './both-sides.ts'
import { describeInterop } from './python-app.ts'

failOnLeftovers()

describeInterop("the Flask guide's add_together", () => {
  let sides: BothSides

  beforeAll(async () => {
    sides = await bothSides()
  })

  afterAll(() => sides.close())

  test('called by Python with delay is answered by our worker', async () => {
    const { worker } = await sides.ours.startWorker()

    expect(await sides.python.run('tasks.add_together.delay(23, 42).get(timeout=10)')).toBe(65)
    await worker.stop()
  })

  test('called by ours with sendTask is answered by a Python worker', async () => {
    await sides.startPythonWorker()

    expect(await sides.ours.celery.sendTask('tasks.add_together', [23, 42]).result({ timeout: 10 })).toBe(65)
  })
})
