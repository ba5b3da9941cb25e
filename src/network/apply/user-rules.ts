import { NfbridgeError } from '../../errors.js'
import type { ListedKind, Nft, Rule, Ruleset, RulesetObject } from '../../nft/index.js'
import { type TableFamily, USER_CHAINS, type UserChain } from '../rules/names.js'
import { userRuleText } from '../text/user-rule-text.js'
import { inOperation } from './steps.js'
import { ownObjects } from './user-objects.js'

/** A rule of the users: statements in the shape of libnftables' JSON, and a comment. */
export type UserRule = Pick<Rule, 'expr' | 'comment'>

/** The rules of both chains, and what else users have in our table, which the rules may refer to. */
export interface UserRuleSet extends Readonly<Record<UserChain, readonly UserRule[]>> {
  readonly own: readonly RulesetObject[]
}

/** A rule as it stands in the kernel. */
export interface ListedUserRule extends UserRule {
  /** The kernel's number of the rule; undefined while there is no network, and no table that it is in. */
  readonly handle: number | undefined
  /** As `nft list` prints it. */
  readonly text: string
}

/** Both chains as they stand, and what else is the users'. */
export interface StandingUserRules
  extends UserRuleSet,
    Readonly<Record<UserChain, readonly ListedUserRule[]>> {
  readonly forward: readonly ListedUserRule[]
  readonly inbound: readonly ListedUserRule[]
}

/** The call that puts a rule, and where its statements are in what it was given. */
interface PutCall {
  readonly operation: string
  readonly path: string
}

interface DeleteCall {
  readonly operation: string
  readonly path?: undefined
}

export const NO_USER_RULES: UserRuleSet = { forward: [], inbound: [], own: [] }

const CHAINS: readonly UserChain[] = ['forward', 'inbound']

/**
 * The users' own rules. They live in the kernel, where any tool may change them, as long as there is a network; what is
 * remembered here is for when there is none, and for after a reboot.
 */
export class UserRules {
  readonly #nft: Nft
  readonly #table: string
  #remembered: UserRuleSet = NO_USER_RULES
  #save: (rules: UserRuleSet) => void = () => undefined

  constructor(nft: Nft, table: string) {
    this.#nft = nft
    this.#table = table
  }

  /** What the state directory remembers, and how it is told of changes. */
  restore(rules: UserRuleSet, save: (rules: UserRuleSet) => void): void {
    this.#remembered = rules
    this.#save = save
  }

  get remembered(): UserRuleSet {
    return this.#remembered
  }

  remember(rules: UserRuleSet): void {
    this.#save(rules)
    this.#remembered = rules
  }

  /** Both chains as they are in the kernel; undefined when they are not there. */
  async read(): Promise<StandingUserRules | undefined> {
    const ruleset = await listTable(this.#nft, this.#table, ['chain', 'rule', 'set', 'object'])
    const chains = new Set(
      ruleset?.nftables.flatMap((object) => ('chain' in object ? [object.chain.name] : [])),
    )
    if (!ruleset || !CHAINS.some((chain) => chains.has(USER_CHAINS[chain]))) return undefined
    const own = await ownObjects(this.#nft, this.#table, ruleset)
    return { forward: listed(ruleset, 'forward'), inbound: listed(ruleset, 'inbound'), own }
  }

  /** The rules of both chains alone, which costs less; of those that are remembered, where there are no chains. */
  async readChains(): Promise<Pick<UserRuleSet, UserChain>> {
    const [forward, inbound] = [await this.#readChain('forward'), await this.#readChain('inbound')]
    return forward && inbound ? { forward, inbound } : this.#remembered
  }

  async #readChain(chain: UserChain): Promise<ListedUserRule[] | undefined> {
    const ruleset = await listTable(this.#nft, this.#table, ['chain', 'rule'], { chain: USER_CHAINS[chain] })
    return ruleset?.nftables.some((object) => 'chain' in object) ? listed(ruleset, chain) : undefined
  }

  /** Remembers what is in the kernel now. */
  async snapshot(): Promise<void> {
    const rules = await this.read()
    if (!rules) return
    const { forward, inbound, own } = rules
    this.remember({ forward: forward.map(plain), inbound: inbound.map(plain), own })
  }

  /** The rules of one chain, in their order. */
  async list(chain: UserChain): Promise<readonly ListedUserRule[]> {
    const standing = await this.read()
    if (standing) return standing[chain]
    return this.#remembered[chain].map((rule) => ({
      ...rule,
      handle: undefined,
      text: userRuleText(rule),
    }))
  }

  /** Puts a rule at a place of a chain, from 0; `end`: behind all others. */
  async insert(chain: UserChain, index: number | 'end', rule: UserRule, call: PutCall): Promise<void> {
    await this.#change(chain, call, (rules) => {
      const place = index === 'end' ? rules.length : index
      if (place <= rules.length) return rules.toSpliced(place, 0, rule)
      throw noPlace(chain, rules, index, call.operation)
    })
  }

  /** Takes away the rule at a place of a chain, from 0. */
  async delete(chain: UserChain, index: number, operation: string): Promise<void> {
    await this.#change(chain, { operation }, (rules) => {
      if (index < rules.length) return rules.toSpliced(index, 1)
      throw noPlace(chain, rules, index, operation)
    })
  }

  /** Takes away all rules of a chain. */
  async flush(chain: UserChain, operation: string): Promise<void> {
    await this.#change(chain, { operation }, () => [])
  }

  /**
   * One change, told to the kernel as the difference, so that the other rules keep their handles and counters; to the memory,
   * while there is no chain.
   */
  async #change(
    chain: UserChain,
    { operation, path }: PutCall | DeleteCall,
    change: (rules: readonly UserRule[]) => readonly UserRule[],
  ): Promise<void> {
    const standing = await this.read()
    if (!standing) {
      this.remember({ ...this.#remembered, [chain]: change(this.#remembered[chain]) })
      return
    }
    const before = standing[chain]
    const after = change(before)
    const transaction = this.#nft.transaction()
    const owner = { family: 'inet', table: this.#table, chain: USER_CHAINS[chain] } as const
    for (const rule of before) {
      if (!after.includes(rule) && rule.handle !== undefined) {
        transaction.delete({ rule: { ...owner, handle: rule.handle } })
      }
    }
    for (const [place, rule] of after.entries()) {
      if (before.some((each) => each === rule)) continue
      const next = after.slice(place + 1).find((each) => before.some((other) => other === each))
      const handle = next && 'handle' in next && typeof next.handle === 'number' ? next.handle : undefined
      if (handle === undefined) transaction.add({ rule: { ...owner, ...plain(rule) } })
      else transaction.insert({ rule: { ...owner, ...plain(rule), handle } })
    }
    const memory = this.#remembered
    // First, because it can fail after the kernel has the rule; killed in between, the next open reads the kernel's.
    this.remember({ ...memory, own: standing.own, [chain]: after.map(plain) })
    try {
      await transaction.commit()
    } catch (error) {
      this.#remembered = memory
      const told =
        error instanceof NfbridgeError && error.operation !== operation
          ? inCall(error, operation, path)
          : error
      try {
        this.#save(memory)
      } catch {
        throw inOperation(told, operation, { remaining: ['files of the state directory'] })
      }
      throw told
    }
  }
}

function noPlace(
  chain: UserChain,
  rules: readonly UserRule[],
  index: number | 'end',
  operation: string,
): NfbridgeError {
  const message = `the chain ${USER_CHAINS[chain]} has ${rules.length} rules, none at ${index}`
  return new NfbridgeError({ code: 'NFB_NOT_FOUND', operation, message, path: 'index' })
}

/** What is in our inet table, of some kinds; undefined when there is no such table. */
export async function listTable(
  nft: Nft,
  table: string,
  kinds: readonly ListedKind[],
  part: { readonly family?: TableFamily; readonly chain?: string } = {},
): Promise<Ruleset | undefined> {
  try {
    return await nft.list({ family: 'inet', ...part, table, kinds, elements: false })
  } catch (error) {
    if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
    throw error
  }
}

/** The users' rules as objects of a transaction, behind what they refer to. */
export function userRuleObjects(table: string, rules: UserRuleSet): RulesetObject[] {
  const ofChains = CHAINS.flatMap((chain) =>
    rules[chain].map((rule): { rule: Rule } => ({
      rule: { family: 'inet', table, chain: USER_CHAINS[chain], ...plain(rule) },
    })),
  )
  return [...rules.own, ...ofChains]
}

function listed({ nftables }: Ruleset, chain: UserChain): ListedUserRule[] {
  return nftables.flatMap((object) => {
    if (!('rule' in object) || object.rule.chain !== USER_CHAINS[chain]) return []
    const { handle, ...rule } = object.rule
    return [{ ...plain(rule), handle, text: userRuleText(object.rule) }]
  })
}

function plain({ expr, comment }: UserRule): UserRule {
  return comment === undefined ? { expr } : { expr, comment }
}

/** What is wrong in a statement, where the caller has that statement. */
function inCall(error: NfbridgeError, operation: string, path: string | undefined): NfbridgeError {
  const [, within] = /^operations\[\d+\]\.rule\.expr(\[.*)$/.exec(error.path ?? '') ?? []
  return new NfbridgeError({
    code: error.code,
    operation,
    message: error.reason,
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: path !== undefined && within !== undefined ? `${path}${within}` : 'rule',
    related: error.related,
    cause: error,
  })
}
