import type { App } from '../app.ts'
import { Celery } from '../celery.ts'
import type { CeleryOptions } from '../config/celery-options.ts'
import { AppNotFoundError, CeleriacError } from '../errors.ts'
import { loadApplication } from '../worker/load-application.ts'
import { neverListen } from '../worker/never-listen.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'

/** What to load: an application relative to the working directory or none, and the options that win over its own. */
export interface LoadRequest {
  readonly spec: string | undefined
  readonly overrides: CeleryOptions
}

/**
 * Loads an application into this process, without opening its port; without a spec, makes the default one.
 * @throws {@link CommandFailure} when there is none, saying what was tried, or what its module threw.
 */
export async function loadCelery({ spec, overrides }: LoadRequest): Promise<App> {
  neverListen()
  const celery = spec === undefined ? new Celery() : await importCelery(spec)
  if (Object.keys(overrides).length > 0) celery.conf.update(overrides)
  return celery
}

async function importCelery(spec: string): Promise<App> {
  const { celery } = await loadApplication(spec, process.cwd()).catch((error: unknown) => {
    throw unloadable(error instanceof AppNotFoundError ? error.message : `While it was loaded, ${spec} failed:\n${textOf(error)}`)
  })
  if (celery !== undefined) return celery
  throw unloadable(`No Celery application has been made by ${spec}. Make one and export it: export const celery = new Celery(app)`)
}

/** The words are Celery's own. */
function unloadable(reason: string): CommandFailure {
  return new CommandFailure(`Unable to load celery application.\n${reason}`, EXIT.usage)
}

/** The stack of a fault in the user's code says where it is; our own errors say all there is to know. */
function textOf(error: unknown): string {
  if (error instanceof CeleriacError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
