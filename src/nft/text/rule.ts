import { withProtocols } from '../implied-protocol.js'
import { type Context, handleText, inFamily } from './context.js'
import { commentText, isUnsayable, list, type Node, words } from './node.js'
import { statementText } from './statement.js'

/** A rule on one line: its statements, its comment, its handle. */
export function ruleText({ expr, comment, handle, family }: Node, context: Context): string {
  const within = inFamily(context, family)
  const statements = withProtocols(list(expr)).map((statement) => statementText(statement, within.family))
  const text = words(...statements, commentText(comment), handleText(within, handle))
  // What nft has no words for makes a comment of the whole line, so that no part of the rule is taken for all of it.
  return statements.some(isUnsayable) && !text.startsWith('# ') ? `# ${text}` : text
}
