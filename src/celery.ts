import { App } from './app.ts'
import type { CeleryOptions } from './config/celery-options.ts'
import { localServices } from './services/local-services.ts'
import type { WebApp } from './web-app.ts'
import { runEagerly } from './worker/eager.ts'

/**
 * The Celery application: hands functions to background workers and gives back their results.
 *
 * `new Celery()` works as it is: messages and results go to `.celeriac/`, and the first submit starts a
 * worker. Making one opens nothing; `close` it when the process should go on without it.
 */
export class Celery extends App {
  /**
   * @param app The web application (Fastify, Express, Koa, Hono, Nest), the application's name, or options.
   * @param options Options, where `app` is something else.
   * @throws {@link ImproperlyConfigured} with every problem of the configuration.
   */
  constructor(app?: WebApp | string | CeleryOptions, options?: CeleryOptions) {
    super(app, options, { localServices, runEagerly })
  }
}
