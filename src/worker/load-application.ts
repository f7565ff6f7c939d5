import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { App, applications } from '../app.ts'
import { AppNotFoundError } from '../errors.ts'
import { looksLikeWebApp } from '../web-app.ts'

/** An application as `-A`, `app` or `CELERIAC_APP` named it. */
export interface LoadedApplication {
  /** The Celery application: the one named, or the one that its module made. */
  readonly celery: App | undefined
  /** The web application: the one named, or the one that the Celery application was made with. */
  readonly webApp: unknown
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cts', '.cjs']

/**
 * Loads `path[:attribute]`, relative to `root`.
 *
 * The path is a file with or without its extension, a directory with an index file, or dotted
 * (`proj.celery` for `proj/celery.ts`). Without an attribute: an export named `celery` or `app`, or the
 * first that is an application. A function is called (a factory) and awaited.
 * @throws {@link AppNotFoundError} saying what was tried.
 */
export async function loadApplication(spec: string, root: string): Promise<LoadedApplication> {
  const [path, attribute] = splitSpec(spec)
  const file = findModule(path, root)
  const before = new Set(applications())
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const made = applications().filter((app) => !before.has(app))
  const named = attribute === undefined ? pickExport(module) : await callFactory(exported(module, attribute, file))
  const celery = named instanceof App ? named : (made[0] ?? applications().find((app) => app.webApp === named))
  return { celery, webApp: named instanceof App ? named.webApp : (named ?? celery?.webApp) }
}

/**
 * The same spec with the absolute path of its module, so that it means the same wherever it is read.
 * @throws {@link AppNotFoundError} saying what was tried.
 */
export function absoluteSpec(spec: string, root: string): string {
  const [path, attribute] = splitSpec(spec)
  const file = findModule(path, root)
  return attribute === undefined ? file : `${file}:${attribute}`
}

/** `C:\app.ts:name` has two colons on Windows; the attribute is behind the last one and is an identifier. */
function splitSpec(spec: string): [string, string | undefined] {
  const match = /^(.+):([\p{ID_Start}$_][\p{ID_Continue}$]*(?:\([^)]*\))?)$/u.exec(spec)
  return match === null ? [spec, undefined] : [match[1] ?? spec, match[2]]
}

function findModule(path: string, root: string): string {
  const asPath = resolve(root, path)
  const candidates = [asPath, ...EXTENSIONS.map((extension) => asPath + extension)]
  const dotted = resolve(root, path.replaceAll('.', '/'))
  candidates.push(...EXTENSIONS.map((extension) => join(asPath, `index${extension}`)), ...EXTENSIONS.map((extension) => dotted + extension))
  const found = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile())
  if (found !== undefined) return found
  throw new AppNotFoundError(`No module was found for the application "${path}": tried ${[...new Set(candidates)].slice(0, 8).join(', ')}.`)
}

function exported(module: Record<string, unknown>, attribute: string, file: string): unknown {
  const name = attribute.replace(/\(.*\)$/, '')
  if (Object.hasOwn(module, name)) return module[name]
  const names = Object.keys(module)
  throw new AppNotFoundError(`${file} has no export "${name}" (it exports: ${names.length > 0 ? names.join(', ') : 'nothing'}).`)
}

function pickExport(module: Record<string, unknown>): unknown {
  const preferred = [module['celery'], module['app'], module['default']].filter((value) => value !== undefined)
  return [...preferred, ...Object.values(module)].find((value) => value instanceof App || looksLikeWebApp(value))
}

/** A web application may itself be a function (Express), so only one that does not look like it is called. */
async function callFactory(value: unknown): Promise<unknown> {
  if (typeof value !== 'function' || looksLikeWebApp(value)) return value
  const made: unknown = (value as () => unknown)()
  // Fastify instances can be awaited; doing so only waits until they are ready.
  return made instanceof Promise ? await made : made
}
