import { DecodeError, InvalidTaskError } from '../errors.ts'
import type { TypeClass, TypeDescription } from './types.ts'

/** A model of Mongoose, as far as it matters here. */
interface MongooseModel {
  readonly modelName: string
  findById(id: string): PromiseLike<unknown>
}

/** An active record of TypeORM, as far as it matters here. */
interface ActiveRecord {
  readonly name: string
  getRepository(): { readonly metadata: { getEntityIdMap(entity: object): object | undefined } }
  findOneBy(where: object): PromiseLike<unknown>
}

/**
 * Describes database records of a class that finds them itself, for `celery.registerType`: they travel as their key, and are read
 * again where they arrive.
 *
 * Knows the models of Mongoose and the active records of TypeORM by their shape; nothing of either is imported. A record that has
 * gone meanwhile, or was never saved, fails the task.
 * @throws {@link InvalidTaskError} for any other class.
 */
export function recordType<T extends object>(type: TypeClass<T>): TypeDescription<T, unknown> {
  const model: unknown = type
  if (isMongooseModel(model)) {
    return {
      name: model.modelName,
      toWire: (record) => String(keyOf(record, model.modelName)),
      fromWire: async (id) => found<T>(await model.findById(id as string), model.modelName, id),
    }
  }
  if (isActiveRecord(model)) {
    return {
      name: model.name,
      toWire: (record) => model.getRepository().metadata.getEntityIdMap(record) ?? unsaved(model.name),
      fromWire: async (where) => found<T>(await model.findOneBy(where as object), model.name, where),
    }
  }
  throw new InvalidTaskError(
    `recordType knows models of Mongoose (modelName, findById) and active records of TypeORM (getRepository, findOneBy); ${type.name || 'this class'} is neither. ` +
      'Describe it yourself: { name, toWire, fromWire }.',
  )
}

function isMongooseModel(type: unknown): type is MongooseModel {
  const { findById, modelName } = type as Partial<MongooseModel>
  return typeof findById === 'function' && typeof modelName === 'string'
}

function isActiveRecord(type: unknown): type is ActiveRecord {
  const { findOneBy, getRepository } = type as Partial<ActiveRecord>
  return typeof findOneBy === 'function' && typeof getRepository === 'function'
}

function keyOf(record: object, name: string): unknown {
  return (record as { readonly _id?: unknown })._id ?? unsaved(name)
}

function unsaved(name: string): never {
  throw new InvalidTaskError(`A ${name} without a key cannot travel: nobody could read it again. Save it first.`)
}

function found<T>(record: unknown, name: string, key: unknown): T {
  if (record !== null && record !== undefined) return record as T
  throw new DecodeError(`The ${name} with the key ${JSON.stringify(key)} is not in the database (any more).`)
}
