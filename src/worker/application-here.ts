import { App, applications, type LocalServices } from '../app.ts'
import type { CeleryOptions } from '../config/celery-options.ts'
import { runEagerly } from './eager.ts'

/** Workers that a task started would start workers in turn, without end. */
const NO_SERVICES: LocalServices = {
  ensure: () => {},
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  processes: [],
  fault: undefined,
  logs: [],
}

/** The application of a process that runs tasks: the first that its modules have made, else one with the worker's configuration. */
export function applicationHere(conf: Readonly<Record<string, unknown>>): App {
  return applications()[0] ?? new App(undefined, conf as CeleryOptions, { localServices: () => NO_SERVICES, runEagerly })
}
