import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { ROOT } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { within } from '../support/within.ts'
import { type BothSides, bothSides, linesOf, OUR_TASKS, touch } from './both-sides.ts'
import { describeInterop } from './python-app.ts'

failOnLeftovers()

const VISIBILITY_TIMEOUT_S = 2
const KEYS = ['a', 'b', 'c']

describeInterop('the claims of a worker that was killed', () => {
  let sides: BothSides

  beforeEach(async () => {
    sides = await bothSides({
      conf: { brokerTransportOptions: { visibilityTimeout: VISIBILITY_TIMEOUT_S } },
      settings: { broker_transport_options: { visibility_timeout: VISIBILITY_TIMEOUT_S }, worker_prefetch_multiplier: 1 },
    })
  })

  afterEach(() => sides.close())

  /** Has Python send tasks that the first who takes them never ends; resolves when `by` has begun all of them. */
  async function sendHeld(file: string, by: string): Promise<void> {
    await sides.python.run('results = [tasks.hold.delay(file, key) for key in keys]', { file, keys: KEYS })
    await expect.poll(() => KEYS.map((key) => linesOf(`${file}.${key}`)), { timeout: 10_000 }).toEqual(KEYS.map(() => [by]))
  }

  /** How many claims are older than the visibility timeout, of all. */
  function expired(): Promise<[number, number]> {
    return sides.python.run("[app.backend.client.zcount('unacked_index', 0, time.time() - limit), app.backend.client.zcard('unacked_index')]", { limit: VISIBILITY_TIMEOUT_S })
  }

  test('of Python come back to ours after the visibility timeout', async () => {
    const file = sides.file('held-by-python')
    const python = await sides.startPythonWorker({ concurrency: 3 })
    await sendHeld(file, 'python')

    python.kill()
    await sides.ours.startWorker({ concurrency: 3 })

    expect(await sides.python.run('[result.get(timeout=15) for result in results]')).toEqual(['ours', 'ours', 'ours'])
    expect(KEYS.map((key) => linesOf(`${file}.${key}`))).toEqual(KEYS.map(() => ['python', 'ours']))
    await expect.poll(expired).toEqual([0, 0])
  })

  test('of ours come back to Python, which looks when it starts', async () => {
    const file = sides.file('held-by-ours')
    const doomed = await startOurs(sides)
    await sendHeld(file, 'ours')

    doomed.kill('SIGKILL')
    // Nobody of ours has the broker open, so nobody looks but Python.
    await expect.poll(expired, { timeout: 10_000 }).toEqual([3, 3])
    await sides.startPythonWorker({ concurrency: 3 })

    expect(await sides.python.run('[result.get(timeout=15) for result in results]')).toEqual(['python', 'python', 'python'])
    expect(KEYS.map((key) => linesOf(`${file}.${key}`))).toEqual(KEYS.map(() => ['ours', 'python']))
    await expect.poll(expired).toEqual([0, 0])
  })

  test('of ours that is alive are left alone by Python, however long the task runs', async () => {
    const file = sides.file('alive')
    await sides.ours.startWorker({ concurrency: 1, queues: ['alive'] })
    await sides.python.run("result = tasks.hold.apply_async((file, 'long'), queue='alive')", { file })
    await expect.poll(() => linesOf(`${file}.long`)).toEqual(['ours'])
    const started = await sides.python.run<number>("app.backend.client.zrange('unacked_index', 0, -1, withscores=True)[0][1]")

    // Past the visibility timeout since it was claimed, a Python worker comes and looks.
    await expect.poll(() => sides.python.run('time.time()'), { timeout: 10_000 }).toBeGreaterThan(started + VISIBILITY_TIMEOUT_S + 0.5)
    const python = await sides.startPythonWorker({ queues: ['alive', 'celery'] })
    await sides.python.run("tasks.power.delay(2).get(timeout=10)")

    expect(linesOf(`${file}.long`)).toEqual(['ours'])
    expect(await expired()).toEqual([0, 1])
    await python.stop()
  })
})

describeInterop('what a worker gives back when it is stopped', () => {
  let sides: BothSides

  beforeEach(async () => {
    sides = await bothSides({ settings: { task_track_started: true } })
  })

  afterEach(() => sides.close())

  test('by Python is run by ours', async () => {
    const [gate, theirs, own] = [sides.file('gate'), sides.file('by-python'), sides.file('by-ours')]
    const python = await sides.startPythonWorker()
    await fillQueue('tasks.wait_for_file', gate, { ours: own, python: theirs })
    await python.says(/tasks\.share\[.*received[^]*tasks\.share\[.*received/)

    const stopped = python.stop()
    await python.says(/Warm shutdown/)
    touch(gate)
    await stopped
    expect(linesOf(theirs)).toEqual([])
    await sides.ours.startWorker()

    await expect.poll(() => linesOf(own).toSorted(), { timeout: 10_000 }).toEqual(['a', 'b', 'c'])
  })

  test('by ours is run by Python, in its order', async () => {
    const [gate, theirs, own] = [sides.file('gate'), sides.file('by-python'), sides.file('by-ours')]
    const { worker } = await sides.ours.startWorker()
    await fillQueue('ours.wait_for_file', gate, { ours: own, python: theirs })

    touch(gate)
    await worker.stop({ graceMs: 0 })
    const already = linesOf(own)
    await sides.startPythonWorker({ pool: 'solo' })

    await expect.poll(() => [...already, ...linesOf(theirs)], { timeout: 10_000 }).toEqual(['a', 'b', 'c'])
  })

  /** One task that the worker is busy with, and three behind it. */
  async function fillQueue(busy: string, gate: string, files: Readonly<Record<'ours' | 'python', string>>): Promise<void> {
    await sides.python.run(
      `
      busy = app.send_task(name, (gate,))
      while busy.state != 'STARTED': time.sleep(0.02)
      for key in ('a', 'b', 'c'): tasks.share.delay(key, files)
      while app.backend.client.zcard('unacked_index') < 3: time.sleep(0.02)
    `,
      { name: busy, gate, files },
    )
  }
})

describeInterop('what Python sends for a time beyond the visibility timeout', () => {
  test('is run once by ours, on time, though the worker is restarted meanwhile', async () => {
    const options = { brokerTransportOptions: { visibilityTimeout: 1 } }
    const sides = await bothSides({ conf: options })
    try {
      let { worker } = await sides.ours.startWorker()
      const file = sides.file('eta')
      const due = await sides.python.run<number>(
        `
        eta = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
        results = [ours('note_time', str(n), file).apply_async(eta=eta) for n in range(50)]
        eta.timestamp()
      `,
        { file },
      )
      for (const left of [4, 2.5]) {
        await expect.poll(() => due - Date.now() / 1000, { timeout: 5_000 }).toBeLessThan(left)
        await worker.stop()
        ;({ worker } = await sides.ours.startWorker())
      }

      await expect.poll(() => linesOf(file).length, { timeout: 10_000 }).toBe(50)
      await expect.poll(() => sides.python.run('[AsyncResult(result.id).state for result in results].count("SUCCESS")')).toBe(50)
      const runs = linesOf(file).map((line) => line.split(' '))
      expect(runs.map(([n]) => Number(n)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n))
      expect(Math.min(...runs.map(([, at]) => Number(at)))).toBeGreaterThanOrEqual(due - 0.01)
      expect(Math.max(...runs.map(([, at]) => Number(at)))).toBeLessThan(due + 3)
    } finally {
      await sides.close()
    }
  })
})

describeInterop('a queue that one worker of each side consumes', () => {
  test('is shared: 2,000 tasks, none lost, none twice, and neither starves', async () => {
    const sides = await bothSides()
    try {
      const [ours, python] = [sides.file('by-ours'), sides.file('by-python')]
      await Promise.all([sides.ours.startWorker({ queues: ['shared'] }), sides.startPythonWorker({ queues: ['shared'] })])

      await sides.python.run("for n in range(1000): tasks.share.apply_async((f'p{n}', files), queue='shared')", { files: { ours, python } })
      await Promise.all(Array.from({ length: 1000 }, (_, n) => sides.ours.celery.sendTask('tasks.share', [`o${n}`, { ours, python }], {}, { queue: 'shared' })))

      const runs = (): string[] => [...linesOf(ours).map((name) => `${name} by ours`), ...linesOf(python).map((name) => `${name} by Python`)]
      await expect.poll(() => new Set(runs().map(nameOf)).size, { timeout: 25_000, interval: 100 }).toBe(2000)
      const names = runs().map(nameOf)
      expect(runs().filter((run) => names.indexOf(nameOf(run)) !== names.lastIndexOf(nameOf(run)))).toEqual([])
      console.log(`Of 2,000 tasks ours ran ${linesOf(ours).length} and Python ${linesOf(python).length}.`)
      expect(linesOf(ours).length).toBeGreaterThan(400)
      expect(linesOf(python).length).toBeGreaterThan(400)
    } finally {
      await sides.close()
    }
  })
})

function nameOf(run: string): string {
  return run.split(' ')[0] ?? ''
}

/** A worker as its users start it; resolves when it consumes. */
async function startOurs(sides: BothSides): Promise<ChildProcess> {
  const args = [`${ROOT}/src/cli/main.ts`, '-A', OUR_TASKS, '-b', sides.url, 'worker', '-c', '3', '-n', 'doomed@test']
  const options = JSON.stringify({ visibilityTimeout: VISIBILITY_TIMEOUT_S })
  const env = { ...process.env, CELERY_BROKER_URL: sides.url, CELERY_BROKER_TRANSPORT_OPTIONS: options }
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  const ready = Promise.withResolvers<void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
    if (/ ready/.test(log)) ready.resolve()
  })
  void once(child, 'exit').then(() => ready.reject(new Error(`The worker ended:\n${log}`)))
  await within(ready.promise, 'a worker in a process of its own to be ready', 15_000)
  return child
}
