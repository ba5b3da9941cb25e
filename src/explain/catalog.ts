/** A listed ruleset by what an evaluation looks for: base chains by hook, chains and their rules, sets. */
import type { Chain, Family, Hook, NamedMap, NamedSet, Rule, Ruleset } from '../nft/index.js'
import { priorities } from '../nft/kernel/priorities.js'

/** A chain with its rules in their order. */
export interface ChainOfRules {
  readonly chain: Chain
  readonly rules: readonly Rule[]
}

/** A base chain and the number of its priority. */
export interface BaseChainOfRules extends ChainOfRules {
  readonly priority: number
}

/** Where chains are hooked in: the bridge's own hooks, those of IP, a device's ingress or egress. */
export type Layer = 'bridge' | 'ip' | 'ip6' | 'arp' | 'netdev'

const FAMILIES: { readonly [L in Layer]: readonly Family[] } = {
  bridge: ['bridge'],
  ip: ['ip', 'inet'],
  ip6: ['ip6', 'inet'],
  arp: ['arp'],
  netdev: ['netdev', 'inet'],
}

/** An index over one listing. */
export class Catalog {
  readonly generation: number
  readonly #chains = new Map<string, { chain: Chain; rules: Rule[] }>()
  readonly #sets = new Map<string, NamedSet | NamedMap>()
  readonly #dormant = new Set<string>()

  constructor(ruleset: Ruleset) {
    this.generation = ruleset.generation
    for (const object of ruleset.nftables) {
      if ('table' in object && object.table.flags?.includes('dormant'))
        this.#dormant.add(keyOf(object.table.family, object.table.name, ''))
      else if ('chain' in object) this.#add(object.chain)
      else if ('rule' in object) this.chain(object.rule, object.rule.chain)?.rules.push(object.rule)
      else if ('set' in object) this.#addSet(object.set)
      else if ('map' in object) this.#addSet(object.map)
    }
  }

  /** Whether a table is dormant: its chains are not hooked in. */
  isDormant({ family, table }: { readonly family: Family; readonly table: string }): boolean {
    return this.#dormant.has(keyOf(family, table, ''))
  }

  /** A chain of the same table. */
  chain(
    of: { readonly family: Family; readonly table: string },
    name: string,
  ): { readonly chain: Chain; readonly rules: Rule[] } | undefined {
    return this.#chains.get(keyOf(of.family, of.table, name))
  }

  /** A set or map of the same table; `name` with or without its `@`. */
  set(
    of: { readonly family: Family; readonly table: string },
    name: string,
  ): NamedSet | NamedMap | undefined {
    return this.#sets.get(keyOf(of.family, of.table, name.replace(/^@/, '')))
  }

  /** The base chains of a hook in the order in which the kernel runs them. @param device of ingress and egress chains */
  baseChains(layer: Layer, hook: Hook, device?: string): BaseChainOfRules[] {
    const found: BaseChainOfRules[] = []
    for (const { chain, rules } of this.#chains.values()) {
      if (chain.hook !== hook || !FAMILIES[layer].includes(chain.family)) continue
      if (this.#dormant.has(keyOf(chain.family, chain.table, ''))) continue
      if (device !== undefined && ![chain.dev ?? []].flat().includes(device)) continue
      found.push({ chain, rules, priority: priorityOf(chain) })
    }
    // Of one priority the kernel runs the youngest first (nf_hook_entries_grow); listings have the oldest first.
    return found.reverse().sort((one, other) => one.priority - other.priority)
  }

  /** The same with other rules in one chain: as it was, or as it would be. */
  withRules(
    of: { readonly family: Family; readonly table: string },
    name: string,
    rules: readonly Rule[],
  ): Catalog {
    const other = new Catalog({ nftables: [], generation: this.generation })
    for (const [key, chain] of this.#chains) other.#chains.set(key, chain)
    for (const [key, set] of this.#sets) other.#sets.set(key, set)
    for (const key of this.#dormant) other.#dormant.add(key)
    const chain = this.chain(of, name)
    if (chain) other.#chains.set(keyOf(of.family, of.table, name), { chain: chain.chain, rules: [...rules] })
    return other
  }

  #add(chain: Chain): void {
    this.#chains.set(keyOf(chain.family, chain.table, chain.name), { chain, rules: [] })
  }

  #addSet(set: NamedSet | NamedMap): void {
    this.#sets.set(keyOf(set.family, set.table, set.name), set)
  }
}

function keyOf(family: Family, table: string, name: string): string {
  return `${family} ${table} ${name}`
}

function priorityOf({ prio, family }: Chain): number {
  if (typeof prio === 'number') return prio
  const [, name = '', sign = '+', offset = '0'] = /^(\w+)(?: ([+-]) (\d+))?$/.exec(prio ?? '') ?? []
  const base = Object.entries(priorities[family]).find(([each]) => each === name)?.[1] ?? 0
  return base + (sign === '-' ? -Number(offset) : Number(offset))
}
