/** The parts of docs/nftables.md that are checked. */
import { isObject } from '../support/tools.js'

/** Rows of rules, and the chain that they are checked in. */
export interface RuleTable {
  readonly family: string
  readonly hook: string
  readonly rows: readonly (readonly [nft: string, ours: string])[]
}

export interface Page {
  readonly example: string
  /** What the example prints. */
  readonly output: string
  /** The last rule of the example. */
  readonly value: object
  /** The sets and objects that rules refer to. */
  readonly world: string
  readonly rules: readonly RuleTable[]
  readonly objects: readonly (readonly [nft: string, ours: string])[]
}

export function readPage(text: string): Page {
  const [, example = ''] = /```js\n(.*?)```/s.exec(text) ?? []
  const [, output = ''] = /```\n(table .*?)\n```/s.exec(text) ?? []
  const [, json = ''] = /```json\n(.*?)```/s.exec(text) ?? []
  const [, world = ''] = /```nft\n(.*?)```/s.exec(text) ?? []
  const value: unknown = JSON.parse(json)
  const rules = [...text.matchAll(/^In `table (\w+)`, `chain \{ (.*?) \}`:\n\n((?:\|.*\n?)+)/gm)].map(
    ([, family = '', hook = '', rows = '']) => ({ family, hook, rows: readRows(rows) }),
  )
  const [, objects = ''] = /^### Objects\n\n((?:\|.*\n?)+)/m.exec(text) ?? []
  return {
    example,
    output,
    value: isObject(value) && isObject(value.rule) ? value.rule : {},
    world,
    rules,
    objects: readRows(objects),
  }
}

/** The cells of `| code | code |`. A bar in code is escaped. */
function readRows(text: string): (readonly [string, string])[] {
  return text
    .split('\n')
    .slice(2)
    .filter((line) => line !== '')
    .map((line) => {
      const [, nft, ours] = /^\| `(.*)` \| `(.*)` \|$/.exec(line) ?? []
      if (nft === undefined || ours === undefined) throw new Error(`no row of two cells of code: ${line}`)
      return [nft.replaceAll('\\|', '|'), ours.replaceAll('\\|', '|')]
    })
}
