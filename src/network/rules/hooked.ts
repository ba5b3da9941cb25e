/** Whether our tables are hooked in as they should be: what no rule tells. */
import type { Chain, Ruleset } from '../../nft/index.js'
import { EVERY_RULE, rulesetObjects } from './ruleset.js'

/** A table or a base chain of ours that somebody changed; or a base chain of somebody in a table of ours. */
export interface HookFault {
  readonly kind: 'dormant' | 'policy' | 'foreign-chain'
  /** `inet nfbridge`, `inet forward` */
  readonly subject: string
  readonly text: string
}

/** @param listed what is in tables of the name, tables and chains at least */
export function hookFaults(table: string, { nftables }: Pick<Ruleset, 'nftables'>): HookFault[] {
  const ours = new Map<string, Chain>(
    rulesetObjects(table, EVERY_RULE).flatMap((object) =>
      'chain' in object ? [[`${object.chain.family} ${object.chain.name}`, object.chain] as const] : [],
    ),
  )
  return nftables.flatMap((object): HookFault[] => {
    if ('table' in object) {
      const { family, name, flags } = object.table
      if (name !== table || (family !== 'inet' && family !== 'bridge') || !flags?.includes('dormant'))
        return []
      const subject = `${family} ${name}`
      return [
        { kind: 'dormant', subject, text: `the table ${subject} is dormant: none of its rules is asked` },
      ]
    }
    if (!('chain' in object) || object.chain.table !== table) return []
    const { family, name, hook, policy } = object.chain
    if (hook === undefined || (family !== 'inet' && family !== 'bridge')) return []
    const subject = `${family} ${name}`
    const wanted = ours.get(subject)
    if (wanted === undefined)
      return [
        {
          kind: 'foreign-chain',
          subject,
          text: `somebody put the base chain ${name} (hook ${hook}) into our table ${family} ${table}`,
        },
      ]
    if (policy === wanted.policy) return []
    return [
      {
        kind: 'policy',
        subject,
        text: `the policy of our chain ${subject} is ${policy}, and should be ${wanted.policy}`,
      },
    ]
  })
}
