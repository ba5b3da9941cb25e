import { type Context, handleText, inFamily } from './context.js'
import { isUnsayable, list, type Node, quoted, words } from './node.js'
import { statementText } from './statement.js'

/** A rule on one line: its statements, its comment, its handle. */
export function ruleText({ expr, comment, handle, family }: Node, context: Context): string {
  const within = inFamily(context, family)
  const statements = list(expr).map((statement) => statementText(statement, within.family))
  const text = words(
    ...statements,
    comment !== undefined && `comment ${quoted(comment)}`,
    handleText(within, handle),
  )
  // What nft has no words for makes a comment of the whole line, so that no part of the rule is taken for all of it.
  return statements.some(isUnsayable) && !text.startsWith('# ') ? `# ${text}` : text
}
