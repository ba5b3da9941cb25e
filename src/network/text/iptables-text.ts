import { type Family, familiesOf } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { filterTable } from './iptables-filter.js'
import { natTable, rawTable } from './iptables-nat.js'
import { type IptablesTable, listingCommand, tableText } from './iptables-table.js'
import { type IptablesUserRules, userRule } from './iptables-user-rules.js'
import type { UserRule } from './user-rule-text.js'

/** What the view does not know: whether rules are made, and the users' own. */
export interface IptablesFacts {
  readonly firewall: boolean
  /** Of the chains `user` and `user_inbound`. */
  readonly userRules: { readonly forward: readonly UserRule[]; readonly inbound: readonly UserRule[] }
}

/**
 * What stands, as Docker would have written it with iptables: table by table, each as `iptables -t … -L -n` prints it, behind
 * a line with that command. IPv6 where a network has it. Empty where no rules are made.
 */
export function iptablesText(view: NetworkView, facts: IptablesFacts): string {
  return iptablesTables(view, facts)
    .map((table) => `# ${listingCommand(table)}\n${tableText(table)}\n`)
    .join('\n')
}

/** The same as values. */
export function iptablesTables(view: NetworkView, facts: IptablesFacts): IptablesTable[] {
  const families = new Set([...view.networks].flatMap(familiesOf))
  if (!facts.firewall) return []
  return ([4, 6] as const)
    .filter((family) => families.has(family))
    .flatMap((family) => [
      filterTable(view, family, userRulesOf(facts, family)),
      natTable(view, family),
      rawTable(family),
    ])
}

function userRulesOf({ userRules }: IptablesFacts, family: Family): IptablesUserRules {
  const ofFamily = (rules: readonly UserRule[]) =>
    rules.map((rule) => userRule(rule, family)).filter((rule) => rule !== undefined)
  return { user: ofFamily(userRules.forward), inbound: ofFamily(userRules.inbound) }
}
