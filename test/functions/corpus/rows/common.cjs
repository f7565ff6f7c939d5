const { createHash } = require('node:crypto')
const path = require('node:path')
const acorn = require('acorn')
const own = require('./common-module.cjs')
const { triple } = require('./common-module.cjs')

const unit = 'cjs'

function Point(x) {
  this.x = x
}
Point.prototype.twice = function () {
  return this.x * 2
}

function Derived(x) {
  Point.call(this, x)
}
Derived.prototype = Object.create(Point.prototype, { constructor: { value: Derived, writable: true, configurable: true } })
Derived.prototype.thrice = function () {
  return this.x * 3
}

/** What esbuild makes of `require` and `exports`, where it bundles. */
const bundled = (why) => ({
  'esbuild bundle': { refused: /\b(require_common_module|__require|exports\d*)\b/, why },
  'esbuild bundle, minified': { refused: /"\w+"/, why },
})

/** Rows written as CommonJS. */
exports.rows = [
  { title: 'a function of a CommonJS module', make: () => (x) => x + unit, args: [1], gives: '1cjs' },
  { title: 'a function that uses what require destructured', make: () => (s) => createHash('sha1').update(s).digest('hex').slice(0, 8), args: ['abc'], gives: 'a9993e36' },
  { title: 'a function that uses a required builtin', make: () => (a, b) => path.posix.join(a, b), args: ['a', 'b'], gives: 'a/b' },
  { title: 'a function that uses a required package', make: () => (s) => acorn.parse(s, { ecmaVersion: 2024 }).body.length, args: ['a;b'], gives: 2 },
  { title: 'a function that uses a required module', make: () => (x) => own.triple(x) + triple(x), args: [1], gives: 6 },
  { title: 'an exported function of a CommonJS module', make: () => triple, args: [2], gives: 6 },
  { title: 'a function that requires inside', make: () => (x) => require('./common-module.cjs').triple(x), args: [2], gives: 6, differs: bundled('a bundle has no modules: esbuild calls a function that keeps whether it ran') },
  { title: 'a function that requires a builtin inside', make: () => () => typeof require('node:os').cpus, gives: 'function', differs: bundled('require() of the bundle is native code') },
  { title: 'a destructured catch parameter', make: () => () => { try { throw new Error(unit) } catch ({ message: here, name }) { return [here, name] } }, gives: ['cjs', 'Error'] },
  { title: 'a class written as a function', make: () => (x) => { const p = new Point(x); return [p.twice(), p instanceof Point] }, args: [2], gives: [4, true] },
  { title: 'a class written as a function with a parent', make: () => (x) => { const d = new Derived(x); return [d.twice(), d.thrice(), d instanceof Point] }, args: [2], gives: [4, 6, true] },
  { title: 'an instance of a class written as a function', make: () => (p) => p.twice(), args: () => [new Point(4)], gives: 8 },
  { title: 'a function that reads exports', make: () => () => exports.rows.length > 1, gives: true, differs: bundled('exports of a bundled module is an ordinary object, and all of it goes along') },
  { title: 'a function that adds to exports', make: () => () => { exports.later = 1; return 1 }, refused: /\bexports\b/, differs: bundled('exports of a bundled module is an ordinary object, and all of it goes along') },
  { title: 'a function that uses module', make: () => () => module.id, refused: /\bmodule\b/, differs: bundled('a bundled module is a function that keeps its state in a variable, which is named instead') },
]
