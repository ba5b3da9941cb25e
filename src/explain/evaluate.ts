/**
 * What the rules of a hook make of a packet: every base chain in the order of the kernel, with jumps, maps and sets, of
 * whatever tables there are. Nothing here knows a table or chain by its name.
 */
import type { Hook, MapElement, NamedMap, NamedSet, Rule, SetElement } from '../nft/index.js'
import { toText } from '../nft/index.js'
import { type AddedKey, type AddedKeys, mergedKeys } from './added-keys.js'
import type { BaseChainOfRules, Catalog, ChainOfRules, Layer } from './catalog.js'
import type { FieldType } from './constant.js'
import type { Environment } from './environment.js'
import { ElementIndex, isPair } from './lookup.js'
import { type Packet, tracked } from './packet.js'
import { evaluateRule, type RuleOutcome, type RuleScope, type RuleVerdict } from './rule.js'
import type { PolicyStep, RulePlace, RuleStep, Step } from './trace.js'
import { retranslated, settle, translated } from './translation.js'

/** Where the packet is, and which part of the hook is asked for. */
export interface HookQuestion {
  readonly layer: Layer
  readonly hook: Hook
  /** For ingress and egress: the device. */
  readonly device?: string
  /** Only chains of a priority from here on; default: all. */
  readonly from?: number
  /** Only chains of a priority below; default: all. */
  readonly below?: number
  /** What rules put into sets from earlier packets, or at earlier hooks; default: nothing. */
  readonly added?: AddedKeys
}

/** What becomes of the packet. `unknown`: {@link HookResult.undecided} says what it hangs on. */
export type HookVerdict = 'accept' | 'drop' | 'reject' | 'queue' | 'stolen' | 'unknown'

export interface HookResult {
  readonly verdict: HookVerdict
  /** The packet as the hook leaves it: translated, marked. */
  readonly packet: Packet
  /** The rule or policy that ended the packet's way, or that last accepted it. */
  readonly decisive?: Step
  /** The rules that took effect and the policies that were reached, in their order. */
  readonly steps: readonly Step[]
  /** The statements that could not be decided and on which the verdict hangs, in nft's words. */
  readonly undecided: readonly string[]
  /** The rule that {@link undecided} is part of. */
  readonly undecidedRule?: RulePlace
  /** Whether the verdict hangs on a statement that is not understood, whatever the packet. */
  readonly isUnreadable?: true
  /** What rules have put into sets by now, that of the question among it. */
  readonly added: AddedKeys
}

/** Connection tracking looks at packets here (NF_IP_PRI_CONNTRACK). */
const CONNTRACK_PRIORITY = -200
/** Translation takes place at a priority of its own, whatever that of its chains (nf_nat_ipv4_ops). */
const NAT_PRIORITY: {
  readonly [H in Hook]?: { readonly at: number; readonly kind: 'source' | 'destination' }
} = {
  prerouting: { at: -100, kind: 'destination' },
  output: { at: -100, kind: 'destination' },
  input: { at: 100, kind: 'source' },
  postrouting: { at: 100, kind: 'source' },
}
/** How many combinations of what is not known are tried before all is called unknown. */
const MOST_RUNS = 64
/** The kernel's own limit of nested jumps (NFT_JUMP_STACK_SIZE). */
const DEEPEST = 16

/** Evaluates the hooks of one namespace from one listing. */
export class Evaluator {
  readonly catalog: Catalog
  readonly environment: Environment
  readonly #indexes = new WeakMap<object, ElementIndex>()
  readonly #texts = new WeakMap<object, string>()

  readonly #mostRules: number

  /** @param mostRules how many rules a hook is followed through, all that is tried together; default: as many as there are */
  constructor(catalog: Catalog, environment: Environment, mostRules: number = Number.POSITIVE_INFINITY) {
    this.catalog = catalog
    this.environment = environment
    this.#mostRules = mostRules
  }

  /** What a hook makes of a packet. Where something is not known, all possible answers are tried. */
  hook(question: HookQuestion, packet: Packet): HookResult {
    const rules = new RuleCount(this.#mostRules)
    try {
      return this.#hook(question, packet, rules)
    } catch (error) {
      if (!(error instanceof TooManyRules)) throw error
      const undecided = [`more rules than are followed (${this.#mostRules})`]
      return { verdict: 'unknown', packet, steps: [], undecided, added: new Map(question.added) }
    }
  }

  #hook(question: HookQuestion, packet: Packet, rules: RuleCount): HookResult {
    const outcomes: HookResult[] = []
    let reason: OpenQuestion | undefined
    // Each run follows a list of choices; what comes after its end is the first possibility.
    const pending: { readonly choices: readonly number[]; readonly other?: HookResult }[] = [{ choices: [] }]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { choices, other: parent } = next
      const run = new HookRun(this, question, packet, choices, rules)
      const outcome = run.run()
      // The last of the choices is all that the two runs differ in: the verdict hangs on it.
      const open = run.questions[choices.length - 1]
      if (
        parent &&
        open &&
        !alike(outcome, parent) &&
        (!reason || (open.isUnreadable && !reason.isUnreadable))
      )
        reason = open
      outcomes.push(outcome)
      if (outcomes.length + pending.length > MOST_RUNS)
        return undecidable(outcomes, reason ?? run.questions[0])
      for (const [index, count] of run.counts.entries()) {
        if (index < choices.length) continue
        const before = run.taken.slice(0, index)
        for (let other = 1; other < count; other++)
          pending.push({ choices: [...before, other], other: outcome })
      }
    }
    const [first] = outcomes
    if (first === undefined) throw new RangeError('an evaluation has at least one outcome')
    if (outcomes.some((one) => !alike(one, first))) return undecidable(outcomes, reason)
    return outcomes.length === 1 ? first : { ...first, added: mergedKeys(outcomes.map(({ added }) => added)) }
  }

  /** What nft would print of a rule, a verdict or an element, written once: a thousand packets meet the same rules. */
  text(of: object, write: () => string): string {
    const known = this.#texts.get(of)
    if (known !== undefined) return known
    const written = write()
    this.#texts.set(of, written)
    return written
  }

  /** The index of a set's elements, made once. */
  index(elements: readonly (SetElement | MapElement)[], types: readonly FieldType[]): ElementIndex {
    const known = this.#indexes.get(elements)
    if (known) return known
    const made = new ElementIndex(elements, types, this.environment)
    this.#indexes.set(elements, made)
    return made
  }
}

function alike(one: HookResult, other: HookResult): boolean {
  // A packet that is dropped and one that is rejected do not arrive, both.
  const stopped = ({ verdict }: HookResult): boolean => verdict === 'drop' || verdict === 'reject'
  if (stopped(one) && stopped(other)) return true
  return one.verdict === other.verdict && (one.verdict !== 'accept' || same(one.packet, other.packet))
}

function same(one: Packet, other: Packet): boolean {
  return (
    one.source === other.source &&
    one.destination === other.destination &&
    one.sourcePort === other.sourcePort &&
    one.destinationPort === other.destinationPort &&
    one.mark === other.mark &&
    one.connection?.mark === other.connection?.mark
  )
}

function undecidable(outcomes: readonly HookResult[], reason: OpenQuestion | undefined): HookResult {
  const [first] = outcomes
  if (first === undefined) throw new RangeError('an evaluation has at least one outcome')
  return {
    ...first,
    verdict: 'unknown',
    undecided: reason === undefined ? [] : [reason.statement],
    ...(reason && { undecidedRule: reason.rule }),
    ...(reason?.isUnreadable && { isUnreadable: true }),
  }
}

/** Jumps to a chain that jumps again meet more rules than there are: two in each of sixteen chains, 65,536. */
class RuleCount {
  #left: number

  constructor(most: number) {
    this.#left = most
  }

  /** @throws TooManyRules */
  countOne(): void {
    if (this.#left-- <= 0) throw new TooManyRules()
  }
}

class TooManyRules extends Error {}

/** What could not be decided, and where. */
interface OpenQuestion {
  readonly statement: string
  readonly rule: RulePlace
  readonly isUnreadable: boolean
}

/** What nft can't read is a comment in a ruleset, and a rule here. */
function ruleText(expr: Rule['expr'], family: Rule['family']): string {
  return toText(expr, { family }).replace(/^# /, '')
}

type ChainEnd = { readonly verdict: Exclude<HookVerdict, 'unknown'>; readonly step: Step }

/** One run through a hook with given answers to what is not known. */
class HookRun {
  /** How many answers each open question had, and which was taken. */
  readonly counts: number[] = []
  readonly taken: number[] = []
  readonly questions: OpenQuestion[] = []
  readonly #evaluator: Evaluator
  readonly #question: HookQuestion
  readonly #choices: readonly number[]
  readonly #rules: RuleCount
  readonly #steps: Step[] = []
  readonly #added: Map<string, readonly AddedKey[]>
  #packet: Packet

  constructor(
    evaluator: Evaluator,
    question: HookQuestion,
    packet: Packet,
    choices: readonly number[],
    rules: RuleCount,
  ) {
    this.#rules = rules
    this.#evaluator = evaluator
    this.#question = question
    this.#packet = packet
    this.#choices = choices
    this.#added = new Map(question.added)
  }

  run(): HookResult {
    const {
      layer,
      hook,
      device,
      from = Number.NEGATIVE_INFINITY,
      below = Number.POSITIVE_INFINITY,
    } = this.#question
    const all = this.#evaluator.catalog.baseChains(layer, hook, device)
    const translating = all.filter(({ chain }) => chain.type === 'nat')
    const isIp = layer === 'ip' || layer === 'ip6'
    const nat = isIp ? NAT_PRIORITY[hook] : undefined
    const places: { readonly at: number; readonly work: () => ChainEnd | undefined }[] = all
      .filter(({ chain }) => chain.type !== 'nat')
      .map((chain) => ({ at: chain.priority, work: () => this.#baseChain(chain) }))
    if (nat) places.push({ at: nat.at, work: () => this.#translate(translating, nat.kind) })
    if (isIp && (hook === 'prerouting' || hook === 'output'))
      places.push({ at: CONNTRACK_PRIORITY, work: () => this.#track() })
    places.sort((one, other) => one.at - other.at)
    for (const { at, work } of places) {
      if (at < from || at >= below) continue
      const end = work()
      if (end && end.verdict !== 'accept') return { ...this.#result(end.verdict), decisive: end.step }
    }
    const decisive = this.#steps.at(-1)
    return { ...this.#result('accept'), ...(decisive && { decisive }) }
  }

  #result(verdict: Exclude<HookVerdict, 'unknown'>): HookResult {
    return { verdict, packet: this.#packet, steps: this.#steps, undecided: [], added: this.#added }
  }

  #track(): undefined {
    if (this.#packet.connection === undefined && this.#packet.family !== 'arp')
      this.#packet = tracked(this.#packet)
  }

  /** The chains that translate see the first packet of a connection, and the first of them that decides is the last. */
  #translate(chains: readonly BaseChainOfRules[], kind: 'source' | 'destination'): ChainEnd | undefined {
    const { connection } = this.#packet
    if (connection === undefined || connection.settled?.includes(kind)) return undefined
    if (connection.state !== 'new') {
      if (connection.state === 'established') this.#packet = retranslated(this.#packet, kind)
      return undefined
    }
    for (const chain of chains) {
      const end = this.#baseChain(chain, kind)
      if (end === undefined) break
      if (end.verdict !== 'accept') return end
    }
    this.#packet = settle(this.#packet, kind)
    return undefined
  }

  /** @returns undefined when the packet was translated */
  #baseChain(base: BaseChainOfRules, translates?: 'source' | 'destination'): ChainEnd | undefined {
    const end = this.#chain(base, 0, translates)
    if (end === 'translated') return undefined
    if (end !== undefined) return end
    const { family, table, name, policy = 'accept' } = base.chain
    const step: PolicyStep = { kind: 'policy', family, table, chain: name, effect: policy }
    // A chain without rules that accepts is as good as none.
    if (base.rules.length > 0 || policy === 'drop') this.#steps.push(step)
    return { verdict: policy, step }
  }

  /** @returns undefined when its end was reached, or `return` */
  #chain(
    { rules }: ChainOfRules,
    depth: number,
    translates?: 'source' | 'destination',
  ): ChainEnd | 'translated' | undefined {
    for (const rule of rules) {
      this.#rules.countOne()
      const outcome = evaluateRule(rule, this.#scope(rule))
      this.#packet = outcome.packet
      if (outcome.translation) {
        if (outcome.translation.kind !== translates) continue
        this.#packet = translated(this.#packet, outcome.translation)
        const { address, port, vague } = outcome.translation
        const target = [address ?? '', ...(port === undefined ? [] : [port])].join(':')
        this.#note(
          rule,
          outcome,
          `${translates === 'source' ? 'from' : 'to'} ${target}${vague ? ' or another' : ''}`,
        )
        return 'translated'
      }
      if (outcome.verdict === undefined) {
        if (outcome.changed !== undefined) this.#note(rule, outcome, outcome.changed)
        continue
      }
      const { verdict } = outcome
      if ('return' in verdict) return undefined
      if ('jump' in verdict || 'goto' in verdict) {
        const target = 'jump' in verdict ? verdict.jump.target : verdict.goto.target
        const chain = this.#evaluator.catalog.chain(rule, target)
        if (chain === undefined || depth >= DEEPEST) continue
        this.#note(
          rule,
          outcome,
          this.#evaluator.text(verdict, () => toText(verdict)),
        )
        const inner = this.#chain(chain, depth + 1, translates)
        if (inner !== undefined || 'goto' in verdict) return inner
        continue
      }
      return this.#end(rule, outcome, verdict)
    }
    return undefined
  }

  #end(rule: Rule, outcome: RuleOutcome, verdict: RuleVerdict): ChainEnd {
    const name =
      'accept' in verdict
        ? 'accept'
        : 'reject' in verdict
          ? 'reject'
          : 'queue' in verdict
            ? 'queue'
            : 'stolen' in verdict
              ? 'stolen'
              : 'drop'
    return { verdict: name, step: this.#note(rule, outcome, name) }
  }

  #place({ family, table, chain, handle, expr }: Rule): RulePlace {
    return {
      family,
      table,
      chain,
      ...(handle !== undefined && { handle }),
      text: this.#evaluator.text(expr, () => ruleText(expr, family)),
    }
  }

  #note(rule: Rule, { element }: RuleOutcome, effect: string): RuleStep {
    const step: RuleStep = {
      kind: 'rule',
      ...this.#place(rule),
      ...(element && {
        element: {
          ...(element.set !== undefined && { set: element.set }),
          text: this.#elementText(element.found.element),
          value: element.found.element,
          ...(element.found.data !== undefined && { data: element.found.data }),
        },
      }),
      effect,
    }
    this.#steps.push(step)
    return step
  }

  #elementText(element: SetElement | MapElement): string {
    const write = (): string =>
      isPair(element) ? `${toText(element[0])} : ${toText(element[1])}` : toText(element)
    return typeof element === 'object' ? this.#evaluator.text(element, write) : write()
  }

  #scope(rule: Rule): RuleScope {
    const { catalog, environment } = this.#evaluator
    const keyOf = (name: string): string => `${rule.family} ${rule.table} ${name}`
    const added = (name: string): readonly AddedKey[] => this.#added.get(keyOf(name)) ?? []
    return {
      added,
      add: (name, values) => {
        this.#added.set(keyOf(name), [...added(name), { values, isCertain: true }])
      },
      packet: this.#packet,
      environment,
      set: (name: string): NamedSet | NamedMap | undefined => catalog.set(rule, name),
      index: (elements, types) => this.#evaluator.index(elements, types),
      choose: (candidates, why, isUnreadable = false) =>
        this.#choose(candidates, { statement: why, rule: this.#place(rule), isUnreadable }),
    }
  }

  /** The answer of this run to an open question: one of the candidates, or none of them. */
  #choose<T>(candidates: readonly T[], question: OpenQuestion): T | undefined {
    const position = this.counts.length
    const choice = this.#choices[position] ?? 0
    this.counts.push(candidates.length + 1)
    this.taken.push(choice)
    this.questions.push(question)
    return choice === 0 ? undefined : candidates[choice - 1]
  }
}
