/** Rules of ours beside what a listing says. */
import { type Rule, toText } from '../../nft/index.js'
import { DEFAULT_TABLE, type TableFamily } from './names.js'
import { rulesetObjects } from './ruleset.js'

/** Equal for a rule as we make it and as it is listed, which leaves out the protocol where the fields that follow imply it. */
export function comparableRule(expr: Rule['expr'], family: Rule['family']): string {
  return comparableText(toText(expr, { family }))
}

function comparableText(text: string): string {
  return text.replace(/^ether type (ip6?|arp) /, '')
}

let texts: ReadonlySet<string> | undefined

/** Whether a rule in a chain of ours, by its text, is one that we made. */
export function isOwnRule(family: TableFamily, chain: string, text: string): boolean {
  texts ??= new Set(
    rulesetObjects(DEFAULT_TABLE).flatMap((object) => {
      if (!('rule' in object)) return []
      const { family: of, chain: name, expr } = object.rule
      return [`${of} ${name} ${comparableRule(expr, of)}`]
    }),
  )
  return texts.has(`${family} ${chain} ${comparableText(text)}`)
}
