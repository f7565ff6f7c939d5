/* oxlint-disable no-var, no-with, no-unused-vars -- odd code is what is tried */
const path = require('node:path')

const here = path.basename(__filename)

/** Rows that a bundle of ES modules cannot have: of sloppy mode, and of a CommonJS module's own names. */
exports.rows = [
  { title: 'a function in sloppy mode has a this', make: () => function () { return this === globalThis }, gives: true },
  { title: 'a function that says that it is strict', make: () => function () { 'use strict'; return this === undefined }, gives: true },
  { title: 'an assignment to a frozen object in sloppy mode', make: () => (x) => { const o = Object.freeze({}); o.a = x; return 'went on' }, args: [1], gives: 'went on' },
  { title: 'the arguments object of sloppy mode', make: () => function (a) { a = 2; return arguments[0] }, args: [1], gives: 2 },
  { title: 'octal numbers of sloppy mode', make: () => () => 010, gives: 8 },
  { title: 'names that strict mode reserves', make: () => { var let_ = 1; var yield = 2; var static = 3; return () => let_ + yield + static }, gives: 6 },
  { title: 'a function with a with statement', make: () => (o) => { with (o) { return a } }, args: [{ a: 1 }], refused: /\bwith\b/ },
  { title: 'a method that uses its object, in sloppy mode', make: () => ({ n: 1, own() { return this.n } }).own, refused: /\bthis\b/ },
  { title: 'a variable that was never declared', make: () => () => { undeclaredVariable = 1; return 1 }, refused: /\bundeclaredVariable\b/ },
  { title: '__filename and __dirname', make: () => () => [path.basename(__filename) === here, __filename.startsWith(__dirname)], gives: [true, true] },
]
