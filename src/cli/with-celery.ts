import type { App } from '../app.ts'
import { ROLE_VARIABLE } from '../internal/child-environment.ts'
import { findApplication } from './find-application.ts'
import { type GlobalOptions, overridesOf } from './global-options.ts'
import { loadCelery } from './load-celery.ts'

/** Loads the application for a command that asks or sends something, and closes it afterwards. It never starts local workers. */
export async function withCelery(options: GlobalOptions, run: (celery: App) => Promise<void>): Promise<void> {
  process.env[ROLE_VARIABLE] = 'command'
  const celery = await loadCelery({ spec: findApplication(options, process.cwd()), overrides: overridesOf(options) })
  try {
    await run(celery)
  } finally {
    await celery.close()
  }
}
