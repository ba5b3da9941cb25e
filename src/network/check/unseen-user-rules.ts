/** Rules of the users that see nothing of what they concern: what stays on a bridge that does not ask for br_netfilter. */
import { PRESENCE } from '../apply/bridge-netfilter.js'
import { isTracked } from '../plan/tracking.js'
import { USER_CHAINS } from '../rules/names.js'
import { concernsTrafficWithin } from '../rules/within-bridge.js'
import { userRuleText } from '../text/user-rule-text.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

const CHAINS: ReadonlySet<string> = new Set(Object.values(USER_CHAINS))

/** One finding for each bridge, with the first rule that concerns it. */
export async function unseenUserRules({ state, tables, registry, settings }: CheckFacts): Promise<Finding[]> {
  if (!settings.firewall) return []
  const rules = tables.nftables.flatMap((object) =>
    'rule' in object && object.rule.family === 'inet' && CHAINS.has(object.rule.chain) ? [object.rule] : [],
  )
  const bridges = [...registry.networks].flatMap((network) =>
    isTracked(network, registry.policy) ? [] : network.bridges,
  )
  const isThere = (await state.sysctl(PRESENCE.replaceAll('.', '/'))) !== undefined
  return bridges.flatMap((bridge): Finding[] => {
    const rule = rules.find(({ expr }) => concernsTrafficWithin(expr, [bridge]))
    if (!rule) return []
    return [
      {
        code: 'user-rules-unseen',
        severity: 'error',
        subject: bridge,
        message: `${rule.chain} has the rule "${userRuleText(rule)}", which can concern what passes between containers of ${bridge} and sees nothing of it: ${isThere ? 'the bridge does not ask for br_netfilter' : 'the kernel has no br_netfilter'}`,
        remedy: `${isThere ? '' : '`modprobe br_netfilter`, then '}open the host again with its state directory; or have the rule require an interface that is no bridge of ours`,
      },
    ]
  })
}
