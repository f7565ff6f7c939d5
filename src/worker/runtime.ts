import { applications } from '../app.ts'
import { loadConfig } from '../config/config.ts'
import { setCurrentApp } from '../current.ts'
import type { Stopper } from '../internal/stopper.ts'
import type { Execution, Outcome } from '../pool.ts'
import type { ChildInit } from '../pools/pipe.ts'
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
  const context: ExecuteContext = {
    find: createHandlers(init.root, (name) => applications().map((app) => app.registry.named(name)).find((task) => task !== undefined)),
    accept: conf.acceptContent,
    maxMessageSize: conf.taskMessageMaxSize,
    errorMaxLength: conf.taskErrorMaxLength,
    hostname: init.hostname,
    isEager: false,
    onState,
  }
  // What is thrown may refuse even to be looked at.
  return (execution, stopper) => execute(execution, stopper, context).catch((error: unknown) => failed(error, conf.taskErrorMaxLength))
}
