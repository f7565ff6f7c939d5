import { AlreadyRegistered, NotRegistered } from './errors.ts'

/** What the registry must know of a task. */
export interface Named {
  /** May be costly the first time: a name made from a module is looked up when it is first asked for. */
  readonly name: string
}

/** The tasks of one application by name. */
export class TaskRegistry<T extends Named> {
  readonly #byName = new Map<string, T>()
  readonly #unnamed: T[] = []

  /**
   * Adds a task. Unless `isNamed`, its name is read when somebody looks for a name.
   * @throws {@link AlreadyRegistered} when it is named as another is.
   */
  add(task: T, options: { readonly isNamed?: boolean } = {}): void {
    if (options.isNamed === true) this.#name(task)
    else this.#unnamed.push(task)
  }

  /** The task of exactly that name, as messages name it. */
  named(name: string): T | undefined {
    return this.#all().get(name)
  }

  /** The task of that name, or one whose function has that name (`add` for `src.tasks.add`) if only one has. */
  find(name: string): T | undefined {
    const exact = this.named(name)
    if (exact !== undefined) return exact
    const endings = [...this.#all()].filter(([full]) => full.endsWith(`.${name}`))
    return endings.length === 1 ? endings[0]?.[1] : undefined
  }

  /** @throws {@link NotRegistered} naming what is known. */
  get(name: string): T {
    const task = this.find(name)
    if (task !== undefined) return task
    const known = this.names()
    throw new NotRegistered(
      `Task "${name}" has not been registered (known: ${known.length > 0 ? known.map((each) => `"${each}"`).join(', ') : 'none'}). ` +
        'Import the module that defines it, or list it in "include".',
      name,
    )
  }

  /** Every name, sorted. */
  names(): string[] {
    return [...this.#all().keys()].sort()
  }

  #all(): ReadonlyMap<string, T> {
    for (let task = this.#unnamed[0]; task !== undefined; task = this.#unnamed[0]) {
      // One that clashes stays the first, so that every look says so, not only the next one.
      this.#name(task)
      this.#unnamed.shift()
    }
    return this.#byName
  }

  #name(task: T): void {
    const existing = this.#byName.get(task.name)
    if (existing !== undefined && existing !== task) {
      throw new AlreadyRegistered(`Two tasks are named "${task.name}". Give one of them a name of its own: celery.task({ name: "…" }, fn).`)
    }
    this.#byName.set(task.name, task)
  }
}
