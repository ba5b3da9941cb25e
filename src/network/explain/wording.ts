/** Explanations in the words of those who have networks, containers, links and ports, and not chains and sets. */
import { parseAddress } from '../../address/index.js'
import type { Explanation, Step } from '../../explain/index.js'
import { familiesOf, type NetworkRecord } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { isStrangeRule } from '../rules/listed-rule.js'
import { USER_CHAINS } from '../rules/names.js'
import { allowanceBy } from './allowance.js'
import type { HostExplanation } from './explanation.js'
import { HOST } from './host-reading.js'
import type { HostWorld } from './host-world.js'
import type { ExplainQuestion, Party } from './question.js'
import { isNoDecision } from './reason.js'
import { refusalBy, type Words } from './refusal.js'
import { Subjects } from './subjects.js'

/** What was asked, as far as words need it. */
type Asked = Pick<ExplainQuestion, 'from' | 'protocol' | 'port'> & {
  readonly to: Party
  /** The address that was asked for. */
  readonly address: string
  readonly firewall: boolean
}

const CALLS: ReadonlyMap<string, string> = new Map(
  Object.entries(USER_CHAINS).map(([call, chain]) => [chain, call]),
)

export class Wording {
  readonly #registry: Registry
  readonly #world: Pick<HostWorld, 'isOwn' | 'unasked' | 'tableName'>
  readonly #asked: Asked

  constructor(registry: Registry, world: Pick<HostWorld, 'isOwn' | 'unasked' | 'tableName'>, asked: Asked) {
    this.#registry = registry
    this.#world = world
    this.#asked = asked
  }

  of(explanation: Explanation): Pick<HostExplanation, 'because' | 'remedy'> {
    if (explanation.reached === true) return { because: this.#allowed(explanation) }
    const words = this.#refused(explanation)
    if (!words) {
      const { because, remedy } = explanation
      return { because, ...(remedy !== undefined && { remedy }) }
    }
    const { because, remedy } = words
    return {
      because: explanation.oneWay ? `it arrives, but its answer does not come back: ${because}` : because,
      remedy,
    }
  }

  #refused({ decisive, packet }: Explanation): Words | undefined {
    if (decisive.namespace !== HOST) return undefined
    if (decisive.kind === 'sysctl') return this.#setting(decisive.name, decisive.value)
    if (decisive.kind === 'address') return decisive.behind ? undefined : this.#nobody(decisive.address)
    if (!('step' in decisive) || !packet) return undefined
    const { step } = decisive
    if (decisive.kind === 'foreign-chain') return foreign(step)
    return (
      this.#userRule(step, 'stops it') ??
      this.#strangeRule(step) ??
      refusalBy(step, new Subjects(this.#registry, packet))
    )
  }

  #allowed({ because, decisive, packet, target }: Explanation): string {
    const { address, port, protocol, from, firewall } = this.#asked
    const { unasked, tableName } = this.#world
    if (firewall && unasked !== undefined && target?.namespace === HOST && port !== undefined)
      return `${tableName} is ${unasked}, so no published port works: ${port}/${protocol} on ${address} comes to the host itself; open the host again with its state directory`
    const none = firewall ? 'no container publishes' : 'with firewall: false no container publishes'
    if (target?.namespace === HOST && from.kind !== 'host' && port !== undefined)
      return `${none} ${port}/${protocol} on ${address}: it comes to the host itself, and whether anybody listens there was not looked at`
    if (target?.namespace === HOST && port !== undefined)
      return `${address} is the host's own, and ${none} ${port}/${protocol} there: whether anybody listens was not looked at`
    if (!('step' in decisive) || !packet) return because
    const { step } = decisive
    if (isNoDecision(decisive)) return `nothing on the way to ${target?.namespace ?? address} stops it`
    if (decisive.namespace === HOST && this.#world.isOwn(step))
      return (
        this.#userRule(step, 'accepts it')?.because ??
        allowanceBy(step, new Subjects(this.#registry, packet)) ??
        because
      )
    return because
  }

  #userRule(step: Step, effect: string): Words | undefined {
    const call = CALLS.get(step.chain)
    if (call === undefined || step.kind !== 'rule' || !this.#world.isOwn(step)) return undefined
    return {
      because: `the user rule "${step.text}" (host.userRules.${call}) ${effect}`,
      remedy: `delete that rule from host.userRules.${call}, or insert one before it that accepts`,
    }
  }

  /** A rule that somebody put into a chain of ours: what our own rules are for says nothing of it. */
  #strangeRule(step: Step): Words | undefined {
    if (step.kind !== 'rule' || !this.#world.isOwn(step)) return undefined
    const { family, chain, text } = step
    if (!isStrangeRule(family, chain, text)) return undefined
    return {
      because: `somebody put the rule "${text}" into our chain ${family} ${chain}, and it stops this`,
      remedy:
        'open the host again with its state directory, which makes our rules anew; rules of your own belong in host.userRules',
    }
  }

  #setting(name: string, value: string): Words | undefined {
    if (!/(^|\/)(ip_forward|forwarding)$/.test(name.replaceAll('.', '/'))) return undefined
    return {
      because: `${HOST} does not forward: ${name} is ${value}`,
      remedy: `open the host with ipForward: true, or set ${name} to 1`,
    }
  }

  /** Nobody answers for an address: of our pools, perhaps somebody had it. */
  #nobody(address: string): Words | undefined {
    const stopped = [...this.#registry.containers].find(
      ({ state, endpoints }) =>
        state === 'stopped' &&
        endpoints.some(({ ipv4, ipv6 }) => [ipv4, ipv6].some((each) => each?.toString() === address)),
    )
    if (stopped)
      return {
        because: `${stopped.name}, which had the address ${address}, is stopped`,
        remedy: `start it: container('${stopped.name}').start()`,
      }
    const { to } = this.#asked
    if (to.kind !== 'container') return undefined
    const networks = [...this.#registry.networks].filter((network) => reaches(network, address))
    return {
      because: `nobody on ${networks.map(({ name }) => name).join(', ') || 'any network'} has ${address}, which is ${to.container.name}'s`,
      remedy: `see that ${to.container.name} still has its interface and its address: host.check() names what is missing`,
    }
  }
}

function reaches(network: NetworkRecord, address: string): boolean {
  const family = address.includes(':') ? 6 : 4
  return (
    familiesOf(network).includes(family) &&
    network.pools.some(({ subnet }) => subnet.family === family && subnet.contains(parseAddress(address)))
  )
}

function foreign(step: Step): Words {
  const where = `chain ${step.chain} of table ${step.family} ${step.table}`
  const what =
    step.kind === 'policy'
      ? `the policy ${step.effect} of ${where}`
      : `the rule "${step.text}" in ${where}${step.handle === undefined ? '' : ` (handle ${step.handle})`}`
  return {
    because: `another program's rules stop it: ${what}`,
    remedy: `accept it in that chain: what our table accepts, another one may still drop`,
  }
}
