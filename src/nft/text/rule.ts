import { type Context, handleText, inFamily } from './context.js'
import { isNode, list, type Node, quoted, words } from './node.js'
import { statementText } from './statement.js'

/** A rule on one line: its statements, its comment, its handle. */
export function ruleText({ expr, comment, handle, family }: Node, context: Context): string {
  const within = inFamily(context, family)
  const statements = list(expr)
  const text = words(
    ...statements.map((statement) => statementText(statement, within.family)),
    comment !== undefined && `comment ${quoted(comment)}`,
    handleText(within, handle),
  )
  // What nft has no words for makes a comment of the whole line, so that no part of the rule is taken for all of it.
  return statements.some(isUnsayable) && !text.startsWith('#') ? `# ${text.replaceAll('# ', '')}` : text
}

function isUnsayable(statement: unknown): boolean {
  return statementText(statement).includes('# ') || (isNode(statement) && 'opaque' in statement)
}
