import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

import { App, applications } from '../app.ts'
import { Codec } from '../codec.ts'
import { loadConfig } from '../config/config.ts'
import { setCurrentApp } from '../current.ts'
import { joinTypes, TypeRegistry } from '../graph/types.ts'
import { systemClock } from '../internal/clock.ts'
import type { Stopper } from '../internal/stopper.ts'
import type { Execution, Outcome } from '../pool.ts'
import type { ChildInit } from '../pools/pipe.ts'
import type { Task } from '../task.ts'
import { applicationHere } from './application-here.ts'
import { execute, type ExecuteContext, failed } from './execute.ts'
import { createHandlers } from './handlers.ts'
import { loadApplication } from './load-application.ts'
import { neverListen } from './never-listen.ts'

/** Runs one execution in this process. */
export type TaskRunner = (execution: Execution, stopper: Stopper) => Promise<Outcome>

/** Makes this process fit to run tasks: loads the application and what it includes. */
export async function createTaskRunner(init: ChildInit, onState: ExecuteContext['onState']): Promise<TaskRunner> {
  neverListen()
  const conf = loadConfig({ inherited: init.conf })
  const loaded = init.app === undefined ? undefined : await loadApplication(init.app, init.root)
  setCurrentApp(() => loaded?.webApp ?? applications().find((app) => app.webApp !== undefined)?.webApp)
  for (const module of conf.include) await loadApplication(module, init.root)
  const fallback = lastResort(init.conf)
  const codec = new Codec({ conf, root: init.root, clock: systemClock, types: joinTypes(() => [...applications().map((app) => app.types), fallback]) })
  codec.open()
  const context: ExecuteContext = {
    codec,
    conf,
    clock: systemClock,
    origin: `gen${process.pid}@${hostname()}`,
    replyTo: randomUUID(),
    isOurs: (name) => findTask(name) !== undefined,
    find: createHandlers({ root: init.root, codec, packages: conf.taskPackages, findTask }),
    hostname: init.hostname,
    isEager: false,
    onState,
  }
  return async (execution, stopper) => {
    // What is thrown may refuse even to be looked at.
    const outcome = await execute(execution, stopper, context).catch((error: unknown) => failed(error, conf.taskErrorMaxLength))
    if (outcome.kind === 'refused') tellApplications(execution, outcome.reason, outcome.detail)
    return outcome
  }
}

/** For functions that bring an application along where no module has made one. */
function lastResort(conf: ChildInit['conf']): TypeRegistry {
  const types = new TypeRegistry()
  types.register(App, { name: 'Celery', toWire: () => null, fromWire: () => applicationHere(conf) })
  return types
}

function findTask(name: string): Task | undefined {
  return applications().map((app) => app.registry.named(name)).find((task) => task !== undefined)
}

function tellApplications({ id, message: { headers }, queue }: Execution, reason: string, detail: string): void {
  const task = typeof headers['task'] === 'string' ? headers['task'] : undefined
  for (const app of applications()) app.emitSecurity({ id, task, queue, reason, detail })
}
