/** Our tables in the kernel beside what they should hold. */
import {
  type Element,
  type MapElement,
  type Ruleset,
  type RulesetObject,
  type SetElement,
  toText,
} from '../../nft/index.js'
import { elementsOf, everything } from '../plan/elements.js'
import { hookFaults } from '../rules/hooked.js'
import { comparableRule } from '../rules/listed-rule.js'
import { USER_CHAINS } from '../rules/names.js'
import { rulesetObjects, tableObjects } from '../rules/ruleset.js'
import { elementObjects, setsOf } from '../rules/sets.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

const REMEDY = 'open the host again with its state directory, which makes our rules anew in one transaction'
const USERS: ReadonlySet<string> = new Set(Object.values(USER_CHAINS))
/** So many elements a finding names. */
const NAMED = 3

export function tableFindings({
  table: name,
  tables,
  conditions,
  registry,
  settings,
  ofOthers,
}: CheckFacts): Finding[] {
  if (!settings.firewall || [...registry.networks].length === 0) return []
  const standing = new Set(
    tables.nftables.flatMap((object) => ('table' in object ? [object.table.family] : [])),
  )
  const gone = tableObjects(name).filter(({ table }) => !standing.has(table.family))
  if (gone.length > 0)
    return gone.map(({ table }) => ({
      code: 'tables-gone',
      severity: 'error',
      subject: `${table.family} ${name}`,
      message: `the table ${table.family} ${name} is gone: ${table.family === 'bridge' ? 'containers may send from any address' : 'no published port works, and nothing keeps containers apart'}`,
      remedy: REMEDY,
    }))
  return [
    ...hookFindings(name, tables),
    ...ruleFindings({ table: name, tables, conditions, registry }),
    ...elementFindings({ table: name, tables, registry, ofOthers }),
  ]
}

/** Tables that are not asked, policies that are others, base chains that are not ours. */
function hookFindings(table: string, tables: Ruleset): Finding[] {
  return hookFaults(table, tables).map(({ kind, subject, text }) => ({
    code: 'rules-changed',
    severity: 'error',
    subject,
    message: text,
    remedy:
      kind === 'foreign-chain'
        ? `move it to a table of its own: \`nft delete chain ${subject.replace(' ', ` ${table} `)}\` after it is flushed`
        : REMEDY,
  }))
}

/** Chains whose rules are not those that we made, the users' own aside. */
function ruleFindings({
  table,
  tables,
  conditions: { sets, offload },
  registry,
}: Pick<CheckFacts, 'table' | 'tables' | 'conditions' | 'registry'>): Finding[] {
  const now = rulesByChain(table, tables.nftables)
  // Those whose sets are empty by now may stand; those whose sets are not must.
  const filled = setsOf(elementsOf(registry, everything(registry)).values())
  const has = (set: string): boolean => sets.has(set) || filled.has(set)
  const wanted = rulesByChain(table, rulesetObjects(table, { sets: { has }, offload }))
  return [...wanted].flatMap(([chain, rules]): Finding[] => {
    const found = now.get(chain) ?? []
    if (found.length === rules.length && found.every((rule, index) => rule === rules[index])) return []
    const extra = found.filter((rule) => !rules.includes(rule))
    const missing = rules.filter((rule) => !found.includes(rule))
    const what = [
      ...missing.map((rule) => `"${rule}" is missing`),
      ...extra.map((rule) => `"${rule}" is not ours`),
    ]
    return [
      {
        code: 'rules-changed',
        severity: 'error',
        subject: chain,
        message: `somebody changed the rules of our chain ${chain}: ${what.slice(0, NAMED).join('; ') || 'their order is another'}`,
        remedy: `${REMEDY}; rules of your own belong in host.userRules`,
      },
    ]
  })
}

function rulesByChain(
  table: string,
  objects: readonly (RulesetObject | Ruleset['nftables'][number])[],
): Map<string, string[]> {
  const chains = new Map<string, string[]>()
  for (const object of objects) {
    if ('chain' in object && object.chain.table === table && !USERS.has(object.chain.name))
      chains.set(`${object.chain.family} ${object.chain.name}`, [])
    if (!('rule' in object)) continue
    const { family, chain, expr } = object.rule
    chains.get(`${family} ${chain}`)?.push(comparableRule(expr, family))
  }
  return chains
}

function elementFindings({
  table,
  tables,
  registry,
  ofOthers,
}: Pick<CheckFacts, 'table' | 'tables' | 'registry' | 'ofOthers'>): Finding[] {
  const now = new Set<string>()
  for (const object of tables.nftables) {
    const set = 'set' in object ? object.set : 'map' in object ? object.map : undefined
    // What packets put into it is nobody's change, nor what another host leaves to us.
    if (!set || set.flags?.includes('dynamic') || set.name === 'inherited') continue
    for (const element of set.elem ?? []) now.add(elementName(set, element))
  }
  const elements = [...elementsOf(registry, everything(registry)).values(), ...ofOthers]
  const wanted = new Set(
    elementObjects(table, elements).flatMap(({ element }) =>
      element.elem.map((each) => elementName(element, each)),
    ),
  )
  const missing = [...wanted].filter((name) => !now.has(name))
  const foreign = [...now].filter((name) => !wanted.has(name))
  return [
    ...elementFinding('elements-gone', missing, 'gone: what they allow does not work'),
    ...elementFinding('elements-foreign', foreign, 'not ours: they allow what nobody asked for'),
  ]
}

function elementFinding(
  code: 'elements-gone' | 'elements-foreign',
  names: readonly string[],
  what: string,
): Finding[] {
  const [first] = names
  if (first === undefined) return []
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
  return [
    {
      code,
      severity: 'error',
      subject: first.split(' ')[1] ?? '',
      message: `elements of our sets are ${what}: ${names.slice(0, NAMED).join('; ')}${more}`,
      remedy: REMEDY,
    },
  ]
}

/** Equal for equal elements of a set in one of our tables, as the kernel lists them and as we make them. */
function elementName(
  { family, name }: Pick<Element, 'family' | 'name'>,
  element: SetElement | MapElement,
): string {
  const text = isPair(element) ? `${toText(element[0])} : ${toText(element[1])}` : toText(element)
  // A prefix of the whole length is an address; a name that ends in a star is listed so that it is no beginning of others.
  return `${family} ${name} ${text.replaceAll('\\*', '*').replaceAll(/([\d.]+)\/32\b|([\da-f:]+)\/128\b/g, '$1$2')}`
}

function isPair(element: SetElement | MapElement): element is MapElement {
  return Array.isArray(element)
}
