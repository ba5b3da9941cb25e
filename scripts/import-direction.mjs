// Imports of src/ run downward only. `node scripts/import-direction.mjs` lists what runs up, sideways or out.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

/** From the bottom up: a part of src/ imports only from parts of a lower rank. A new folder needs its line here. */
export const ranks = new Map([
  ['errors.ts', 0],
  ['input.ts', 1],
  ['address', 1],
  ['files', 1],
  ['read-input.ts', 2],
  ['native', 2],
  ['netns', 3],
  ['rtnl', 4],
  ['nft', 4],
  ['conntrack', 4],
  ['store', 4],
  ['explain', 5],
  ['network', 6],
  ['index.ts', 7],
  ['cli', 8],
])

/** The product starts no process, so nothing in src/ has a use for these. */
const forbidden = new Set(['child_process', 'node:child_process', 'cluster', 'node:cluster'])

/**
 * @param {ReadonlyMap<string, string>} files path below src/ (`nft/rules.ts`) to its text
 * @returns {import('./import-direction.d.mts').Violation[]}
 */
export function findViolations(files) {
  const violations = []
  for (const [file, text] of files)
    for (const { specifier, line } of importsOf(file, text)) {
      const reason = judge(file, specifier)
      if (reason) violations.push({ file, line, specifier, reason })
    }
  return violations
}

/** @param {string} root @returns {Map<string, string>} every TypeScript file below `root` */
export function readSources(root) {
  return new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
  )
}

/** Static, dynamic and type imports, re-exports and `require`, as the compiler reads them. */
function importsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    const literal = specifierOf(node)
    if (literal && ts.isStringLiteralLike(literal))
      found.push({
        specifier: literal.text,
        line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
      })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function specifierOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal
  if (!ts.isCallExpression(node)) return undefined
  const called = node.expression
  const loads =
    called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require')
  return loads ? node.arguments[0] : undefined
}

function judge(file, specifier) {
  if (forbidden.has(specifier)) return 'the product starts no process'
  if (specifier === 'nfbridge' || specifier.startsWith('nfbridge/'))
    return 'the package imports itself by its name'
  if (!specifier.startsWith('.')) return undefined
  const target = normalize(join(dirname(file), specifier))
    .split(sep)
    .join('/')
  if (target.startsWith('..')) return 'it leaves src/'
  const from = partOf(file)
  const to = partOf(target.replace(/\.js$/, '.ts'))
  if (from === to) return undefined
  const fromRank = ranks.get(from)
  const toRank = ranks.get(to)
  if (fromRank === undefined || toRank === undefined)
    return `${fromRank === undefined ? from : to} has no rank: give it one in scripts/import-direction.mjs`
  if (toRank > fromRank) return `it runs up, from ${from} to ${to}`
  if (toRank === fromRank) return `it runs sideways, from ${from} to ${to}`
  return undefined
}

function partOf(file) {
  return file.split('/')[0]
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url)))
  const files = readSources(root)
  const violations = findViolations(files)
  for (const { file, line, specifier, reason } of violations)
    console.error(`${relative(process.cwd(), join(root, file))}:${line} imports '${specifier}': ${reason}`)
  if (violations.length === 0) console.log(`${files.size} files, every import runs downward`)
  process.exitCode = violations.length > 0 || files.size === 0 ? 1 : 0
}
