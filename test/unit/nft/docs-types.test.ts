/** The compiler takes the right sides of docs/nftables.md, and the names that the values of a header's field have. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { datatype, headers } from '../../../src/nft/datatype/index.js'
import * as library from '../../../src/nft/index.js'
import { readPage } from '../../kernel/nft-docs-page.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const page = readPage(readFileSync(join(root, 'docs/nftables.md'), 'utf8'))

/** What the compiler says about a file that is in memory only, by the line's text. */
function complaints(text: string): string[] {
  const file = join(root, 'test/unit/nft/docs-rows.ts')
  const { config } = ts.readConfigFile(join(root, 'tsconfig.test.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : read(name, ...rest)
  host.fileExists = (name) => name === file || ts.sys.fileExists(name)
  const program = ts.createProgram([file], { ...options, noEmit: true }, host)
  const source = program.getSourceFile(file)
  return ts.getPreEmitDiagnostics(program, source).map(({ messageText, start = 0 }) => {
    const line = text.slice(0, start).split('\n').length - 1
    return `${text.split('\n')[line]}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

const rules = page.rules.flatMap(({ rows }) => rows.map(([, ours]) => ours))
const objects = page.objects.map(([, ours]) => ours)
const names = Object.keys(library).filter((name) => /^[a-z]/.test(name))
const head = `import { type RulesetObject, type Statement, ${names.join(', ')} } from 'nfbridge/nft'`

test('every row has the types of the model', () => {
  expect(rules.length).toBeGreaterThan(150)
  const text = [
    head,
    ...rules.map((code, index) => `export const rule${index}: readonly Statement[] = [${code}]`),
    ...objects.map((code, index) => `export const object${index}: RulesetObject = ${code}`),
  ].join('\n')
  expect(complaints(text)).toEqual([])
  // And the check can fail.
  expect(complaints(`${head}\nexport const wrong: Statement = match.tcp.dport.eq('tcp')`)).not.toEqual([])
})

test('fields of headers take the names of their types, and addresses', () => {
  const addresses = new Map([
    ['ipv4_addr', '10.0.0.1'],
    ['ipv6_addr', '2001:db8::1'],
    ['ether_addr', '02:00:00:00:00:01'],
  ])
  const lines = Object.entries(headers).flatMap(([protocol, { fields }]) =>
    Object.entries(fields).flatMap(([field, { type }]) => {
      const address = addresses.get(type)
      const values = address === undefined ? (datatype(type).symbols ?? []).map(([name]) => name) : [address]
      return values.map(
        (value) => `void (match['${protocol}']['${field}'].eq('${value}') satisfies Statement)`,
      )
    }),
  )
  expect(lines.length).toBeGreaterThan(20)
  expect(complaints([head, ...lines].join('\n'))).toEqual([])
})
