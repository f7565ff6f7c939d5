import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Program } from 'acorn'
import { nameOf } from './exports.ts'
import { ImportBinding } from './import-binding.ts'
import { isInPackage, isModuleFile, pathBelow } from './module-path.ts'
import { fileName } from './origin.ts'

/** The imports of a module by the names that they have there; those with attributes are left out: they are data. */
export function importedNames(program: Program, file: string, root: string): Map<string, ImportBinding> {
  const imported = new Map<string, ImportBinding>()
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration' || statement.attributes.length > 0) continue
    for (const specifier of statement.specifiers) {
      const path =
        specifier.type === 'ImportNamespaceSpecifier' ? [] : [specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : 'default']
      imported.set(specifier.local.name, bindingOf(String(statement.source.value), path, file, root))
    }
  }
  return imported
}

/** The module that a binding names, where that is a file of the project. */
export function fileOfBinding({ specifier, origin }: ImportBinding, root: string): string | undefined {
  return origin === undefined && specifier.startsWith('./') ? resolve(root, specifier) : undefined
}

/** A relative import of a file that is there is known from the root; any other is left to the loader, as it is written. */
export function bindingOf(specifier: string, path: readonly string[], file: string, root: string): ImportBinding {
  if (specifier.startsWith('node:')) return new ImportBinding(specifier, path)
  const target = /^\.{1,2}\//.test(specifier) ? resolve(dirname(file), specifier) : undefined
  const below = target !== undefined && isModuleFile(target) && existsSync(target) ? pathBelow(root, target) : undefined
  if (below !== undefined && !isInPackage(below)) return new ImportBinding(`./${below}`, path)
  return new ImportBinding(specifier, path, fileName(file, root))
}
