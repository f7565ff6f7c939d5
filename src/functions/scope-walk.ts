import type { AnyNode, Class, Function as FunctionNode, Identifier, Pattern } from 'acorn'
import { childrenOf } from './parse.ts'
import { functionScope, type Mention, type Scope, scopeOf, within } from './scopes.ts'

/** Something that ties a function to the place where it is written. */
export interface Tie {
  /** As it is written: `this`, `super`, `#secret`, `eval`. */
  readonly what: string
  readonly start: number
}

/** All that was met on the way through a function. */
export interface Collected {
  readonly mentions: readonly Mention[]
  /** The direct calls of `eval`, if that is what the name means there. */
  readonly evals: readonly Mention[]
  readonly ties: readonly Tie[]
  readonly metas: readonly AnyNode[]
  readonly imports: readonly AnyNode[]
  readonly usesOwnThis: boolean
  readonly replacesItself: boolean
}

/** What the code at one place may mention without reaching out of the function. */
interface Context {
  readonly scope: Scope
  /** Whose `this` is meant: the surroundings', the function's own, or that of something inside it. */
  readonly receiver: 'outer' | 'own' | 'inner'
  readonly hasArguments: boolean
  readonly hasSuper: boolean
  readonly privates: readonly ReadonlySet<string>[]
}

/** Walks through a function or class, except for its superclass. `isStrict`: whether it is in strict code. */
export function walkFunction(root: FunctionNode | Class, isStrict: boolean): Collected {
  const walk = new Walk(root, isStrict)
  walk.enter()
  return walk.result()
}

class Walk {
  readonly #root: FunctionNode | Class
  readonly #isStrict: boolean
  readonly #mentions: Mention[] = []
  readonly #evals: Mention[] = []
  readonly #ties: Tie[] = []
  readonly #metas: AnyNode[] = []
  readonly #imports: AnyNode[] = []
  #usesOwnThis = false
  #ownName: Scope | undefined

  constructor(root: FunctionNode | Class, isStrict: boolean) {
    this.#root = root
    this.#isStrict = isStrict
  }

  enter(): void {
    const outer: Context = { scope: within(undefined, true), receiver: 'outer', hasArguments: false, hasSuper: false, privates: [] }
    this.#node(this.#root as AnyNode, outer)
  }

  result(): Collected {
    const ownName = this.#ownName
    const replacesItself = ownName !== undefined && this.#mentions.some((mention) => mention.use === 'write' && scopeOf(mention) === ownName)
    return {
      mentions: this.#mentions,
      evals: this.#evals,
      ties: this.#ties,
      metas: this.#metas,
      imports: this.#imports,
      usesOwnThis: this.#usesOwnThis,
      replacesItself,
    }
  }

  #node(node: AnyNode, context: Context): void {
    switch (node.type) {
      case 'Identifier':
        return this.#mention(node, context, 'read')
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.#function(node, context)
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#class(node, context)
      case 'MemberExpression':
        return this.#member(node, context)
      case 'Property':
        if (node.computed) this.#node(node.key, context)
        return this.#node(node.value, node.method || node.kind !== 'init' ? { ...context, hasSuper: true } : context)
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          const members = init?.type === 'Identifier' ? membersTaken(id) : undefined
          if (init?.type === 'Identifier' && members !== undefined) this.#mention(init, context, members)
          else if (init) this.#node(init, context)
          this.#pattern(id, context, node.kind === 'var' ? functionScope(context.scope) : context.scope)
        }
        return
      case 'AssignmentExpression':
        this.#pattern(node.left, context, undefined)
        return this.#node(node.right, context)
      case 'UpdateExpression':
        return this.#pattern(node.argument as Pattern, context, undefined)
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') return this.#mention(node.argument, context, 'typeof')
        return this.#node(node.argument, context)
      case 'ForInStatement':
      case 'ForOfStatement': {
        const inner = { ...context, scope: within(context.scope, false) }
        if (node.left.type === 'VariableDeclaration') this.#node(node.left, inner)
        else this.#pattern(node.left, inner, undefined)
        this.#node(node.right, inner)
        return this.#node(node.body, inner)
      }
      case 'ForStatement':
      case 'BlockStatement':
      case 'SwitchStatement':
        return this.#children(node, { ...context, scope: within(context.scope, false) })
      case 'StaticBlock':
        return this.#children(node, { ...context, scope: within(context.scope, true), receiver: 'inner', hasSuper: true })
      case 'CatchClause': {
        const inner = { ...context, scope: within(context.scope, false) }
        if (node.param) this.#pattern(node.param, inner, inner.scope)
        return this.#node(node.body, inner)
      }
      case 'LabeledStatement':
        return this.#node(node.body, context)
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      case 'CallExpression':
        if (node.callee.type === 'Identifier' && node.callee.name === 'eval') this.#evals.push({ ...mentionOf(node.callee, context), use: 'read' })
        return this.#children(node, context)
      case 'WithStatement':
        this.#tie('with', node)
        return this.#children(node, context)
      case 'ThisExpression':
        if (context.receiver === 'outer') this.#tie('this', node)
        this.#usesOwnThis ||= context.receiver === 'own'
        return
      case 'Super':
        if (!context.hasSuper) this.#tie('super', node)
        return
      case 'MetaProperty':
        if (node.meta.name === 'import') this.#metas.push(node)
        else if (context.receiver === 'outer') this.#tie('new.target', node)
        return
      case 'ImportExpression':
        this.#imports.push(node)
        return this.#children(node, context)
      case 'PrivateIdentifier':
        if (!context.privates.some((names) => names.has(node.name))) this.#tie(`#${node.name}`, node)
        return
      default:
        this.#children(node, context)
    }
  }

  #children(node: AnyNode, context: Context): void {
    for (const child of childrenOf(node)) this.#node(child, context)
  }

  #function(node: FunctionNode, context: Context): void {
    if (node.type === 'FunctionDeclaration' && node.id) {
      context.scope.names.add(node.id.name)
      // In sloppy code a function in a block is a variable of the whole function, too.
      if (!this.#isStrict) functionScope(context.scope).names.add(node.id.name)
    }
    const named = within(context.scope, false)
    if (node.type === 'FunctionExpression' && node.id) named.names.add(node.id.name)
    if (node === this.#root) this.#ownName = named
    const receiver = context.receiver === 'outer' && context.scope.parent === undefined ? 'own' : 'inner'
    // Default values do not see what the body declares.
    const scope = within(named, true)
    const inner: Context =
      node.type === 'ArrowFunctionExpression' ? { ...context, scope } : { ...context, scope, receiver, hasArguments: true }
    for (const parameter of node.params) this.#pattern(parameter, inner, scope)
    const body = { ...inner, scope: within(scope, true) }
    if (node.body.type === 'BlockStatement') this.#children(node.body, body)
    else this.#node(node.body, body)
  }

  #class(node: Class, context: Context): void {
    if (node.type === 'ClassDeclaration' && node.id) context.scope.names.add(node.id.name)
    const scope = within(context.scope, false)
    if (node.id) scope.names.add(node.id.name)
    const declared = new Set<string>()
    for (const member of node.body.body) {
      if ('key' in member && member.key.type === 'PrivateIdentifier') declared.add(member.key.name)
    }
    const outside: Context = { ...context, scope, privates: [...context.privates, declared] }
    const inside: Context = { ...outside, receiver: 'inner', hasSuper: true }
    if (node.superClass && node !== this.#root) this.#node(node.superClass, outside)
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        this.#node(member, inside)
        continue
      }
      if (member.computed) this.#node(member.key, outside)
      if (member.value) this.#node(member.value, inside)
    }
  }

  #member(node: AnyNode & { type: 'MemberExpression' }, context: Context): void {
    const { object, property, computed } = node
    const member = !computed && property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : undefined
    if (object.type === 'Identifier' && typeof member === 'string') return this.#mention(object, context, [member])
    this.#node(object, context)
    if (computed || property.type === 'PrivateIdentifier') this.#node(property, context)
  }

  /** A pattern that declares its names in `scope`, or assigns to them when there is none. */
  #pattern(pattern: Pattern, context: Context, scope: Scope | undefined): void {
    switch (pattern.type) {
      case 'Identifier':
        if (scope === undefined) this.#mention(pattern, context, 'write')
        else scope.names.add(pattern.name)
        return
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'Property' && property.computed) this.#node(property.key, context)
          this.#pattern(property.type === 'Property' ? property.value : property.argument, context, scope)
        }
        return
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.#pattern(element, context, scope)
        return
      case 'AssignmentPattern':
        this.#pattern(pattern.left, context, scope)
        return this.#node(pattern.right, context)
      case 'RestElement':
        return this.#pattern(pattern.argument, context, scope)
      case 'MemberExpression':
        // Of what is written to, all of it is meant.
        this.#node(pattern.object, context)
        if (pattern.computed || pattern.property.type === 'PrivateIdentifier') this.#node(pattern.property, context)
        return
      default:
        this.#node(pattern, context)
    }
  }

  #mention(node: Identifier, context: Context, use: Mention['use']): void {
    if (node.name !== 'arguments' || !context.hasArguments) this.#mentions.push({ ...mentionOf(node, context), use })
  }

  #tie(what: string, node: AnyNode): void {
    this.#ties.push({ what, start: node.start })
  }
}

function mentionOf(node: Identifier, { scope }: Context): Omit<Mention, 'use'> {
  return { name: node.name, start: node.start, scope }
}

/** The names that `const { a, b: c } = object` takes; undefined when it may take others. */
function membersTaken(pattern: Pattern): readonly string[] | undefined {
  if (pattern.type !== 'ObjectPattern') return undefined
  const names = pattern.properties.map((property) => {
    if (property.type !== 'Property' || property.computed) return undefined
    return property.key.type === 'Identifier' ? property.key.name : property.key.type === 'Literal' ? String(property.key.value) : undefined
  })
  return names.every((name) => name !== undefined) ? names : undefined
}
