import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { GlobalOptions } from './global-options.ts'

/** Where applications usually are. */
const USUAL_PLACES = ['./app', './src/app', './server', './celery']
const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/**
 * The application that a command is for: the one it was given, else the one module in a usual place below
 * `folder`; undefined when there is none. Says on standard error what it found.
 * @throws {@link CommandFailure} when several modules could be meant.
 */
export function findApplication({ app, quiet }: GlobalOptions, folder: string): string | undefined {
  if (app !== undefined && app !== '') return app
  const found = USUAL_PLACES.flatMap((place) => EXTENSIONS.map((extension) => place + extension)).filter((path) => existsSync(join(folder, path)))
  const [only, another] = found
  if (another !== undefined) {
    throw new CommandFailure(`Several modules may be the application: ${found.join(', ')}. Name one: celeriac -A ${only} …`, EXIT.usage)
  }
  if (quiet !== true) console.error(only === undefined ? 'No application was given or found; using the default one.' : `Using the application ${only}`)
  return only
}
