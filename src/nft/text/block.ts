/** Blocks in braces, as nft indents them. */

/** `head {`, the lines indented by a tab, `}`. */
export function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines.map(indented), '}'].join('\n')
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : `\t${line}`))
    .join('\n')
}
