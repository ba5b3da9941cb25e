import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { readSources } from '../../scripts/import-direction.mjs'
import { joinPath, NfbridgeError } from '../../src/errors.js'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

/** The members of the union ErrorCode, as the compiler reads them. */
function codesOfSource(): string[] {
  const source = ts.createSourceFile('errors.ts', read('src/errors.ts'), ts.ScriptTarget.Latest, true)
  for (const statement of source.statements) {
    if (!ts.isTypeAliasDeclaration(statement) || statement.name.text !== 'ErrorCode') continue
    if (!ts.isUnionTypeNode(statement.type)) continue
    return statement.type.types.flatMap((member) =>
      ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal) ? [member.literal.text] : [],
    )
  }
  throw new Error('src/errors.ts has no union ErrorCode')
}

/** The sections of docs/errors.md by their code. */
function sectionsOfPage(): Map<string, string> {
  const sections = read('docs/errors.md').split(/^#+ /m)
  return new Map(
    sections
      .filter((text) => text.startsWith('NFB_'))
      .map((text) => [text.slice(0, text.indexOf('\n')).trim(), text]),
  )
}

describe('docs/errors.md', () => {
  const codes = codesOfSource()
  const sections = sectionsOfPage()

  it('has a section for each code, and no other, in the order of the source', () => {
    expect(codes.length).toBeGreaterThan(20)
    expect([...sections.keys()]).toEqual(codes)
  })

  it('documents no code that nothing raises', () => {
    const root = fileURLToPath(new URL('../../src', import.meta.url))
    const texts = [...readSources(root)].filter(([file]) => file !== 'errors.ts').map(([, text]) => text)
    expect(codes.filter((code) => !texts.some((text) => text.includes(`'${code}'`)))).toEqual([])
  })

  it.each(codes)('tells cause, remedy and origin of %s', (code) => {
    const text = sections.get(code) ?? ''
    for (const part of ['Cause', 'Remedy', 'Raised by'])
      expect(text).toMatch(new RegExp(`^- \\*\\*${part}\\.\\*\\* \\S.{10,}`, 'm'))
  })
})

describe('NfbridgeError', () => {
  it('puts what is known into its message, and keeps it as properties', () => {
    const cause = new Error('below')
    const second = new NfbridgeError({ code: 'NFB_MISSING', operation: 'nft.commit', message: 'gone' })
    const error = new NfbridgeError({
      code: 'NFB_REJECTED',
      operation: 'nft.commit',
      message: 'the kernel rejects it',
      errno: 'EINVAL',
      kernelMessage: 'Invalid priority',
      path: 'operations[2].chain.prio',
      remaining: ['docker0'],
      related: [second],
      cause,
    })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('NfbridgeError')
    expect(error.message).toBe(
      'nft.commit: the kernel rejects it (at operations[2].chain.prio) [EINVAL]: the kernel says "Invalid priority"; ' +
        'left behind: docker0',
    )
    expect(error).toMatchObject({ code: 'NFB_REJECTED', errno: 'EINVAL', path: 'operations[2].chain.prio' })
    expect(error.remaining).toEqual(['docker0'])
    expect(error.related).toEqual([second])
    expect(error.cause).toBe(cause)
  })

  it('says nothing of what is not known', () => {
    const error = new NfbridgeError({
      code: 'NFB_CLOSED',
      operation: 'rtnl.apply',
      message: 'the handle is closed',
    })
    expect(error.message).toBe('rtnl.apply: the handle is closed')
    expect([error.errno, error.kernelMessage, error.path, error.cause]).toEqual(Array(4).fill(undefined))
    expect([error.remaining, error.related]).toEqual([[], []])
    expect('cause' in error).toBe(false)
  })

  it.each<[string | undefined, string | number, string]>([
    [undefined, 'name', 'name'],
    ['', 'name', 'name'],
    ['containers', 3, 'containers[3]'],
    [undefined, 0, '[0]'],
    ['containers[3]', 'expose', 'containers[3].expose'],
    ['operations', '[2].rule', 'operations[2].rule'],
    ['subnet', '', 'subnet'],
  ])('joins the paths %j and %j to %s', (parent, child, joined) => {
    expect(joinPath(parent, child)).toBe(joined)
  })
})
