// Writes src/nft/json/shapes.ts: what JSON may be given as operations and objects, from the types of src/nft/model.
//   node scripts/generate-nft-shapes.mjs          writes the file
//   node scripts/generate-nft-shapes.mjs --print  prints it, for the test that compares
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, 'src/nft/json/shapes.ts')
const require = createRequire(import.meta.url)
const entry = join(root, 'src/nft/compile/operation.ts')
const model = join(root, 'src/nft/model/index.ts')

/** What JSON cannot hold (bytes and records of the kernel), and what only prepared rules may have. */
const isOpaque = (name) => name?.startsWith('Opaque') || name === 'SlotExpression'

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram([entry, model], { ...options, noEmit: true })
const checker = program.getTypeChecker()

const exportsOf = (file) =>
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)))

/** Unions lose their name where a property is optional: found again by their members. */
const unionNames = new Map()
const memberKey = (members) =>
  members
    .map((member) => member.id)
    .sort()
    .join(' ')
for (const file of [model, entry])
  for (const symbol of exportsOf(file)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    if (type.isUnion()) unionNames.set(memberKey(type.types), symbol.name)
  }

const shapes = new Map()

function named(name, type) {
  if (!shapes.has(name)) {
    shapes.set(name, undefined) // before its own parts are, which may refer to it
    shapes.set(name, describe(type))
  }
  return { ref: name }
}

const isPresent = (type) => (type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Never)) === 0

function shapeOf(type) {
  if (type.isUnion()) {
    const members = type.types.filter(isPresent)
    const name = unionNames.get(memberKey(members))
    return name === undefined ? describe(type) : named(name, type)
  }
  const symbol = type.aliasSymbol ?? type.symbol
  const isDeclared =
    symbol !== undefined && (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0
  const isObject = (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0
  const isList = checker.isArrayType(type) || checker.isTupleType(type)
  return isDeclared && isObject && !isList ? named(symbol.name, type) : describe(type)
}

function describe(type) {
  if (type.isUnion()) return describeUnion(type.types.filter(isPresent))
  if (type.flags & ts.TypeFlags.String) return { kind: 'string' }
  if (type.flags & ts.TypeFlags.Number) return { kind: 'number' }
  if (type.flags & ts.TypeFlags.Boolean) return { kind: 'boolean' }
  if (type.flags & ts.TypeFlags.Null) return { kind: 'values', values: [null] }
  if (type.flags & ts.TypeFlags.BooleanLiteral)
    return { kind: 'values', values: [checker.typeToString(type) === 'true'] }
  if (type.isStringLiteral() || type.isNumberLiteral()) return { kind: 'values', values: [type.value] }
  if (type.flags & ts.TypeFlags.TemplateLiteral)
    return { kind: 'pattern', pattern: `^${templatePattern(type)}$` }
  if (checker.isTupleType(type)) return { kind: 'tuple', items: checker.getTypeArguments(type).map(shapeOf) }
  if (checker.isArrayType(type)) return { kind: 'list', of: shapeOf(checker.getTypeArguments(type)[0]) }
  if (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return describeObject(type)
  throw new Error(`no shape for the type ${checker.typeToString(type)}`)
}

function templatePattern({ texts, types }) {
  const escaped = texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return escaped.reduce((pattern, text, index) => {
    const isNumber = (types[index - 1].flags & ts.TypeFlags.Number) !== 0
    return `${pattern}${isNumber ? '-?\\d+' : '.+'}${text}`
  })
}

function describeUnion(members) {
  const isBoolean = members.filter((member) => member.flags & ts.TypeFlags.BooleanLiteral).length === 2
  const values = []
  const patterns = []
  const others = []
  if (isBoolean) others.push({ kind: 'boolean' })
  for (const member of members) {
    if (isBoolean && member.flags & ts.TypeFlags.BooleanLiteral) continue
    if (isOpaque((member.aliasSymbol ?? member.symbol)?.name)) continue
    const shape = shapeOf(member)
    if (shape.kind === 'values') values.push(...shape.values)
    else if (shape.kind === 'pattern') patterns.push(shape.pattern)
    else others.push(shape)
  }
  // In an order of their own, which does not depend on what the checker saw first.
  const text = (value) => JSON.stringify(value)
  const order = (one, other) => (text(one) < text(other) ? -1 : 1)
  values.sort((one, other) =>
    typeof one === 'number' && typeof other === 'number' ? one - other : order(one, other),
  )
  patterns.sort()
  others.sort(order)
  const strings = others.some((shape) => shape.kind === 'string')
  const of = [
    ...(values.length > 0 ? [{ kind: 'values', values }] : []),
    ...(patterns.length > 0 && !strings ? [{ kind: 'pattern', pattern: patterns.join('|') }] : []),
    ...others,
  ]
  return of.length === 1 ? of[0] : { kind: 'union', of }
}

function describeObject(type) {
  const properties = {}
  for (const property of checker.getPropertiesOfType(type)) {
    const of = checker.getTypeOfSymbol(property)
    const members = of.isUnion() ? of.types.filter(isPresent) : [of].filter(isPresent)
    if (members.length === 0) continue // `?: never`: must not be there
    const shape = members.length === 1 && of.isUnion() ? shapeOf(members[0]) : shapeOf(of)
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0
    properties[isOptional ? `${property.name}?` : property.name] = shape
  }
  return { kind: 'object', properties }
}

const byName = new Map([...exportsOf(model), ...exportsOf(entry)].map((symbol) => [symbol.name, symbol]))
for (const name of ['Operation', 'RulesetObject'])
  named(name, checker.getDeclaredTypeOfSymbol(byName.get(name)))

const lines = [
  '// GENERATED by `npm run generate` from the types of src/nft/model. Do not edit.',
  "import type { Shape } from './shape.js'",
  '',
  '/** The shape of each type of the model that JSON can hold, by the name of the type. */',
  `export const shapes: { readonly [name: string]: Shape } = ${JSON.stringify(Object.fromEntries([...shapes].sort(([one], [other]) => (one < other ? -1 : 1))))}`,
  '',
]

function format(text) {
  const biome = join(dirname(require.resolve('@biomejs/biome/package.json')), 'bin/biome')
  return execFileSync(process.execPath, [biome, 'format', `--stdin-file-path=${target}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  })
}

const text = format(lines.join('\n'))
if (process.argv.includes('--print')) process.stdout.write(text)
else writeFileSync(target, text)
