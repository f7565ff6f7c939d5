/** Tasks that our side knows. Importing it opens nothing. */
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { Celery, type CurrentTask } from '../../src/index.ts'

export const celery: Celery = new Celery('interop', { startLocalWorkers: false })

/** An error of a class of our own, with several arguments. */
export class OrderError extends Error {
  readonly order: number

  constructor(order: number, reason: string) {
    super(`order ${order} is ${reason}`)
    this.name = 'OrderError'
    this.order = order
  }
}

/** Under the name that Python gives it in the tutorial. */
celery.task({ name: 'tasks.add_together' }, (a: number, b: number) => a + b)

celery.task({ name: 'ours.power' }, (base: number, exponent: number = 2) => base ** exponent)

celery.task({ name: 'ours.echo' }, (value: unknown) => value)

/** What the types of values are on this side. */
celery.task({ name: 'ours.describe' }, (...values: unknown[]) => values.map((value) => (value === null ? 'null' : Object.prototype.toString.call(value).slice(8, -1))))

celery.task({ name: 'ours.clock' }, () => Date.now() / 1000)

celery.task({ name: 'ours.date' }, () => new Date('2030-01-02T03:04:05.678Z'))

celery.task({ name: 'ours.numbers' }, () => [2n ** 70n, -(2n ** 63n), NaN, Infinity, -Infinity, 0.1, 1])

celery.task({ name: 'ours.record' }, record)

/** Leaves what it was given as a line, the file last. */
celery.task({ name: 'ours.note' }, (...args: unknown[]) => record(String(args.at(-1)), args.slice(0, -1).map(String).join(' ')))

/** Leaves a line with the time. */
celery.task({ name: 'ours.note_time' }, (text: string, file: string) => record(file, `${text} ${Date.now() / 1000}`))

celery.task({ name: 'ours.request', bind: true }, (self: CurrentTask, ..._args: unknown[]) => {
  const { args, deliveryInfo, eta, expires, groupId, headers, hostname, id, kwargs, name, parentId, retries, rootId } = self
  const times = { eta: eta?.toISOString() ?? null, expires: expires?.toISOString() ?? null }
  return { id, name, args, kwargs, retries, rootId, parentId: parentId ?? null, groupId: groupId ?? null, hostname, headers: { ...headers }, queue: deliveryInfo.routingKey, ...times }
})

celery.task({ name: 'ours.fail' }, (message: string) => {
  throw new RangeError(message)
})

celery.task({ name: 'ours.fail_with_several' }, (order: number, reason: string) => {
  throw new OrderError(order, reason)
})

celery.task({ name: 'ours.fail_chained' }, () => {
  throw new TypeError('outer', { cause: new RangeError('inner') })
})

celery.task({ name: 'ours.throw_text' }, () => {
  // oxlint-disable-next-line typescript/only-throw-error -- a task may throw anything
  throw 'just text'
})

celery.task({ name: 'ours.return_unsendable' }, () => Promise.resolve({ later: Promise.resolve() }))

celery.task({ name: 'ours.forgetful', ignoreResult: true }, (value: unknown) => value)

/** Reports each step, and begins when the file is there. */
celery.task({ name: 'ours.count_to', bind: true }, async (self: CurrentTask, last: number, file: string) => {
  await waitForFile(file)
  for (let done = 0; done <= last; done++) {
    self.updateState({ state: 'PROGRESS', meta: { done, last } })
    await pause(20)
  }
  return last
})

celery.task({ name: 'ours.report_until', bind: true }, (self: CurrentTask, state: string, meta: unknown, file: string) => {
  self.updateState({ state, meta })
  return waitForFile(file)
})

celery.task({ name: 'ours.wait_for_file' }, waitForFile)

/** Ends as soon as it is told to. */
celery.task({ name: 'ours.sleep', bind: true }, async (self: CurrentTask, seconds: number) => {
  await pause(seconds * 1000, undefined, { signal: self.signal })
  return seconds
})

celery.task({ name: 'ours.die' }, () => process.kill(process.pid, 'SIGKILL'))

/** Sends a task of the other side, without waiting for it. */
celery.task({ name: 'ours.call_other' }, async (name: string, args: unknown[], queue: string = 'celery') => (await celery.sendTask(name, args, {}, { queue })).id)

/** Succeeds after so many retries. */
celery.task({ name: 'ours.flaky', bind: true }, ({ retries, retry }: CurrentTask, times: number, file?: string) => {
  if (file !== undefined) record(file, String(retries))
  if (retries < times) retry({ countdown: 0.1, maxRetries: 10, exc: new RangeError(`attempt ${retries}`) })
  return retries
})

celery.task({ name: 'ours.give_up', bind: true }, ({ retry }: CurrentTask, withError: boolean) => {
  retry({ countdown: 0, maxRetries: 2, ...(withError && { exc: new OrderError(7, 'still closed') }) })
})

/** Stays in RETRY. */
celery.task({ name: 'ours.wait_to_retry', bind: true }, ({ retry }: CurrentTask) => {
  retry({ countdown: '1h', exc: new OrderError(1, 'later') })
})

/** What it was in its first run and in its second. */
celery.task({ name: 'ours.retry_once', bind: true }, (self: CurrentTask, ...args: unknown[]) => {
  const { headers, id, kwargs, retries, retry, rootId } = self
  const here = { id, args: self.args, kwargs, retries, rootId, headers: { ...headers } }
  if (retries === 0) retry({ countdown: 0, args: [here], kwargs: {} })
  return [args[0], here]
})

/** An errback: it is told the id of what failed. */
celery.task({ name: 'ours.on_failure' }, (failedId: string, file: string) => record(file, failedId))

/** Takes over what Python gave up. */
celery.task({ name: 'tasks.hand_over', bind: true }, ({ retries }: CurrentTask, _queue: string) => `ours after ${retries}`)

/** One of many, whose runs are counted by who runs them. */
celery.task({ name: 'tasks.share' }, async (text: string, files: { readonly ours: string }) => {
  await pause(2)
  record(files.ours, text)
})

/** Leaves a trace and stays, the first time; what takes it over finds the trace and ends. */
celery.task({ name: 'ours.hold' }, hold)
celery.task({ name: 'tasks.hold' }, hold)

function record(file: string, text: string): void {
  appendFileSync(file, `${text}\n`)
}

async function waitForFile(file: string): Promise<string> {
  while (!existsSync(file)) await pause(5)
  return file
}

async function hold(file: string, key: string): Promise<string> {
  const began = existsSync(`${file}.${key}`)
  record(`${file}.${key}`, 'ours')
  if (!began) await new Promise(() => {})
  return 'ours'
}
