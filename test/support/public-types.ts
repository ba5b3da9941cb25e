import { join } from 'node:path'
import ts from 'typescript'

/**
 * Types that callers meet and can't name: what a declaration that an entry point exports mentions in its public face, and no entry
 * point exports. By `Declaration.member: Type`.
 * @param entries the modules that a package exports
 * @param own whether a file is the package's own
 */
export function unnameableTypes(
  program: ts.Program,
  entries: readonly string[],
  own: (file: string) => boolean,
): string[] {
  const checker = program.getTypeChecker()
  const exported = new Set(entries.flatMap((entry) => exportsOf(program, checker, entry)))
  const found = new Set<string>()
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) {
      if (!own(declaration.getSourceFile().fileName)) continue
      for (const { where, node } of publicFace(declaration, symbol.name)) {
        const target = resolve(checker, node)
        if (!target || exported.has(target) || !isOwnType(target, own)) continue
        found.add(`${where}: ${target.name}`)
      }
    }
  }
  return [...found].sort()
}

function exportsOf(program: ts.Program, checker: ts.TypeChecker, entry: string): ts.Symbol[] {
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) throw new Error(`${entry} is no module of the program`)
  return checker.getExportsOfModule(module).map((symbol) => unaliased(checker, symbol))
}

function unaliased(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

function resolve(checker: ts.TypeChecker, node: ts.Node): ts.Symbol | undefined {
  const symbol = checker.getSymbolAtLocation(node)
  return symbol && unaliased(checker, symbol)
}

/** Parameters of a type are its own, and members are named by what has them. */
function isOwnType(symbol: ts.Symbol, own: (file: string) => boolean): boolean {
  const named =
    ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Enum
  const isType = (symbol.flags & named) !== 0
  return isType && (symbol.declarations ?? []).some((each) => own(each.getSourceFile().fileName))
}

interface Mention {
  readonly where: string
  readonly node: ts.Node
}

/** Every name of a type in what a declaration shows to its users: bodies and what is private show nothing. */
function* publicFace(node: ts.Node, where: string): Generator<Mention> {
  if (isHidden(node) || ts.isBlock(node)) return
  if (ts.isTypeReferenceNode(node)) yield { where, node: node.typeName }
  else if (ts.isTypeQueryNode(node)) yield { where, node: node.exprName }
  else if (ts.isExpressionWithTypeArguments(node)) yield { where, node: node.expression }
  else if (ts.isImportTypeNode(node) && node.qualifier) yield { where, node: node.qualifier }
  // A value's initializer is no part of its type where that is written.
  const shown = ts.isVariableDeclaration(node) && node.type ? [node.type] : node.getChildren()
  for (const child of shown) {
    const name = ts.isClassElement(child) || ts.isTypeElement(child) ? child.name?.getText() : undefined
    yield* publicFace(child, name === undefined ? where : `${where}.${name}`)
  }
}

function isHidden(node: ts.Node): boolean {
  if (ts.isClassElement(node) && node.name && ts.isPrivateIdentifier(node.name)) return true
  const isPrivate =
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  return isPrivate || ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

/** A program of texts, by file name, without a file system. */
export function programOf(files: Readonly<Record<string, string>>): ts.Program {
  const options: ts.CompilerOptions = { noLib: true, noResolve: false, module: ts.ModuleKind.ESNext }
  const host = ts.createCompilerHost(options)
  host.fileExists = (file) => file in files
  host.readFile = (file) => files[file]
  host.getSourceFile = (file) => {
    const text = files[file]
    return text === undefined ? undefined : ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  }
  return ts.createProgram(Object.keys(files), options, host)
}

/** The program that a configuration describes. */
export function programAt(root: string, configuration: string): ts.Program {
  const file = join(root, configuration)
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return ts.createProgram(fileNames, options)
}
