/**
 * What we must know of a web framework: nothing but shape, so that none needs to be installed.
 *
 * An application is something that can serve requests: Fastify (`inject`), Express and Koa (`use` and
 * `listen`), Hono (`fetch`), Nest (`getHttpServer`).
 */
export type WebApp = { readonly listen: Method } | { readonly inject: Method } | { readonly fetch: Method } | { readonly getHttpServer: Method }

type Method = (...args: never[]) => unknown

const SERVING = ['listen', 'inject', 'fetch', 'getHttpServer']

/** Whether a value is a web application rather than options. */
export function looksLikeWebApp(value: unknown): value is WebApp {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return SERVING.some((method) => typeof (value as Record<string, unknown>)[method] === 'function')
}

/** Calls `close` when the application closes, if its framework tells (Fastify's `onClose`). */
export function onWebAppClose(app: WebApp, close: () => Promise<void>): void {
  const { addHook } = app as { addHook?: (name: string, hook: () => Promise<void>) => unknown }
  if (typeof addHook !== 'function') return
  try {
    addHook.call(app, 'onClose', close)
  } catch {
    // Fastify takes no hooks once it listens. Then whoever closes it closes Celery too, or the process ends.
  }
}
