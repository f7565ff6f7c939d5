import { inspect } from 'node:util'
import { ImproperlyConfigured } from '../errors.ts'
import { deepFreeze } from '../internal/deep-freeze.ts'
import type { CeleryOptions, ConfigValues, OptionName } from './celery-options.ts'
import { isPlainObject } from './kinds.ts'
import { type DefaultContext, OPTION_NAMES, OPTIONS } from './options.ts'
import { maskUrl } from './url.ts'
import { type Layer, readEnvironment, readForeign, readOptions } from './validate.ts'

/**
 * Every option with the value in force; durations are seconds.
 *
 * Assigning to an option checks the value at once. After `freeze()` nothing can change any more. Lists and
 * objects cannot be changed from inside: assign a new one.
 */
export interface Config extends ConfigValues {
  /** Things that look like mistakes but stop nothing, for the log. */
  readonly warnings: readonly string[]
  /**
   * Takes over the options among `values`, spelt in any way, and ignores what has nothing to do with Celery,
   * so that the whole configuration of a web application can be poured in. The last call wins.
   *
   * Near misses of a Celery name go to `warnings`. With `keepConstructor`, options given to the constructor stay.
   * @throws {@link ImproperlyConfigured} with all problems, having changed nothing; or when frozen.
   */
  update(values: object, options?: { keepConstructor?: boolean }): void
  /** Makes every later change an error. A second call does nothing. */
  freeze(): void
  /** Where the value in force comes from. */
  origin(name: OptionName): Origin
  /** Every option, its value with passwords and secrets masked, and where it comes from, for people. */
  report(): ConfigLine[]
  /** Every value as plain data, to hand to a child process as `inherited`. Passwords and secrets are not masked: do not log it. */
  forChildren(): Record<string, unknown>
  /** Every value as {@link report} shows it. */
  toJSON(): Record<string, unknown>
}

/** Who decided a value. `options object` is `update()` or an assignment; `parent process` is `inherited`. */
export type Origin = 'constructor' | 'options object' | 'parent process' | 'environment' | 'default'

/** One line of {@link Config.report}. */
export interface ConfigLine {
  readonly name: OptionName
  readonly value: unknown
  readonly origin: Origin
}

/** Where {@link loadConfig} looks, the strongest first. */
export interface ConfigSources {
  /** What the constructor was given. */
  readonly options?: CeleryOptions | Record<string, unknown>
  /** The `forChildren()` of a parent process's configuration. */
  readonly inherited?: Record<string, unknown>
  /** Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Puts the configuration together: constructor, then parent process, then environment, then defaults.
 *
 * A value is looked at only where no stronger source has decided it.
 * @throws {@link ImproperlyConfigured} with all problems of all sources.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const env = sources.env ?? process.env
  const given = new Map<OptionName, Given>()
  const decided = new Set<OptionName>()
  const problems: string[] = []
  const warnings: string[] = []
  const take = (layer: Layer, origin: Origin): void => {
    problems.push(...layer.problems)
    warnings.push(...layer.warnings)
    for (const [name, value] of layer.values) {
      given.set(name, { value, origin })
      decided.add(name)
    }
  }

  take(readOptions(sources.options ?? {}), 'constructor')
  take(readOptions(sources.inherited ?? {}, decided), 'parent process')
  take(readEnvironment(env, decided), 'environment')

  if (problems.length > 0) throw new ImproperlyConfigured(problems)
  return new LiveConfig(given, warnings, env) as unknown as Config
}

/** A value that somebody gave. */
interface Given {
  readonly value: unknown
  readonly origin: Origin
}

/** The methods of a {@link Config}; its options are accessors made from the table. */
class LiveConfig {
  static {
    for (const name of OPTION_NAMES) {
      Object.defineProperty(this.prototype, name, {
        enumerable: true,
        get(this: LiveConfig) {
          return this.#values[name]
        },
        set(this: LiveConfig, value: unknown) {
          this.#apply(readOptions({ [name]: value }))
        },
      })
    }
  }

  readonly warnings: string[]
  readonly #env: NodeJS.ProcessEnv
  #given: ReadonlyMap<OptionName, Given>
  #values: Readonly<ConfigValues>
  #isFrozen = false

  constructor(given: ReadonlyMap<OptionName, Given>, warnings: string[], env: NodeJS.ProcessEnv) {
    this.#env = env
    this.#given = given
    this.#values = inForce(given, env)
    this.warnings = warnings
    Object.freeze(this)
  }

  update(values: object, options: { keepConstructor?: boolean } = {}): void {
    const kept = options.keepConstructor ? OPTION_NAMES.filter((name) => this.origin(name) === 'constructor') : []
    this.#apply(readForeign(values, new Set(kept)))
  }

  freeze(): void {
    this.#isFrozen = true
  }

  origin(name: OptionName): Origin {
    return this.#given.get(name)?.origin ?? 'default'
  }

  report(): ConfigLine[] {
    return OPTION_NAMES.map((name) => ({ name, value: shown(name, this.#values[name]), origin: this.origin(name) }))
  }

  forChildren(): Record<string, unknown> {
    return { ...this.#values }
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries(this.report().map(({ name, value }) => [name, value]))
  }

  [inspect.custom](): Record<string, unknown> {
    return this.toJSON()
  }

  #apply(layer: Layer): void {
    if (layer.problems.length > 0) throw new ImproperlyConfigured(layer.problems)
    if (this.#isFrozen && layer.values.size > 0) throw new ImproperlyConfigured([...layer.values.keys()].map(tooLate))
    const given = new Map(this.#given)
    for (const [name, value] of layer.values) given.set(name, { value, origin: 'options object' })
    this.#values = inForce(given, this.#env)
    this.#given = given
    this.warnings.push(...layer.warnings)
  }
}

function inForce(given: ReadonlyMap<OptionName, Given>, env: NodeJS.ProcessEnv): Readonly<ConfigValues> {
  const values: Partial<Record<OptionName, unknown>> = {}
  // Defaults follow from options above them in the table, so its order counts here.
  const context = { values, env } as unknown as DefaultContext
  for (const name of OPTION_NAMES) {
    const fallback = OPTIONS[name].default
    const value = given.has(name) ? given.get(name)?.value : typeof fallback === 'function' ? fallback(context) : fallback
    values[name] = deepFreeze(value)
  }
  return Object.freeze(values) as Readonly<ConfigValues>
}

function tooLate(name: OptionName): string {
  return `"${name}" can no longer be changed: it must be set before the application first sends, starts or runs anything.`
}

function shown(name: OptionName, value: unknown): unknown {
  if (OPTIONS[name].isSecret) return hidden(value)
  return typeof value === 'string' ? maskUrl(value) : withoutPasswords(value)
}

/** Options of a store may hold passwords, at any depth. */
function withoutPasswords(value: unknown): unknown {
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === 'password' ? '***' : withoutPasswords(part)]))
}

/** How many secrets there are may be known. */
function hidden(value: unknown): unknown {
  return Array.isArray(value) ? value.map(hidden) : value === undefined ? undefined : '***'
}
