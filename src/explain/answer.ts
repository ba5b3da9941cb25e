/** The answer: whether a packet arrives, what decided, and what would change it. */
import type { Hook } from '../nft/index.js'
import type { HookResult } from './evaluate.js'
import type { Packet } from './packet.js'
import type { RulePlace, Step } from './trace.js'

/**
 * `mac`: frames go to another MAC address than the interface has. `unknown-mac`: the bridge does not know which port a MAC
 * address is behind, and does not ask the port.
 */
export type LinkProblem =
  | 'down'
  | 'no-carrier'
  | 'missing'
  | 'isolated'
  | 'hairpin'
  | 'blocking'
  | 'mac'
  | 'unknown-mac'

/** What decided about the packet. `namespace` is the name of the place where. */
export type Decisive =
  /** A rule, an element of a set or map that a rule looked up, or the policy of a chain. */
  | {
      readonly kind: 'rule' | 'element' | 'policy' | 'foreign-chain'
      readonly namespace: string
      readonly hook: Hook
      readonly step: Step
    }
  /** No way to the address, or a route that refuses it. `other-link`: the answer leaves by another link than it came by. */
  | {
      readonly kind: 'route'
      readonly namespace: string
      readonly destination: string
      readonly reason: string
    }
  | {
      readonly kind: 'sysctl'
      readonly namespace: string
      readonly name: string
      readonly value: string
    }
  /** Nobody has the address, or the one that should has it not. */
  | {
      readonly kind: 'address'
      readonly namespace: string
      readonly address: string
      /** Ports of the bridge behind which there are machines that nobody told of: one of these may have it. */
      readonly behind?: readonly string[]
    }
  /** An interface that is down, missing, isolated, or that may not send a frame back. */
  | {
      readonly kind: 'link'
      readonly namespace: string
      readonly link: string
      readonly problem: LinkProblem
    }
  /** The answer comes from another address or port than was asked, and the sender does not know it. */
  | {
      readonly kind: 'translation'
      readonly namespace: string
      readonly asked: string
      readonly answers: string
    }
  /** Nothing stood in the way, and no rule had to allow it. */
  | { readonly kind: 'delivered'; readonly namespace: string }
  /** A rule asks for something that cannot be known beforehand. */
  | {
      readonly kind: 'unknown'
      readonly namespace: string
      readonly hook: Hook
      readonly statements: readonly string[]
      /** The rule that they are part of. */
      readonly rule?: RulePlace
      /** Whether it is not the packet that does not say, but the rule that is not understood. */
      readonly isUnreadable?: true
    }

/** One stage of the way, in words; with the rules that took effect there. */
export interface JourneyStep {
  readonly namespace: string
  readonly direction: 'original' | 'reply'
  readonly text: string
  readonly rules?: readonly Step[]
}

/** Whether a new connection's first packet arrives and its answer comes back. */
export interface Explanation {
  /** `unknown`: it hangs on something that rules ask and nobody can know beforehand; `decisive` names it. */
  readonly reached: boolean | 'unknown'
  /** The source address that the receiver sees, where it arrives. */
  readonly seen?: string
  /** The address and port of the receiver, behind all translation. */
  readonly target?: { readonly namespace: string; readonly address: string; readonly port?: number }
  /** One sentence: what decided. */
  readonly because: string
  readonly decisive: Decisive
  /** The packet as it was where a rule or policy decided. */
  readonly packet?: Packet
  /** One sentence: what would change it; absent where it arrives. */
  readonly remedy?: string
  /** Whether it arrives and only its answer is lost. */
  readonly oneWay?: true
  readonly steps: readonly JourneyStep[]
}

/** Ends a journey; caught where it began, it never leaves this folder. */
export class Stopped extends Error {
  readonly decisive: Decisive
  readonly because: string
  readonly remedy: string
  readonly packet: Packet | undefined

  constructor(decisive: Decisive, because: string, remedy: string, packet?: Packet) {
    super(because)
    this.packet = packet
    this.decisive = decisive
    this.because = because
    this.remedy = remedy
  }
}

/** What decided at a hook, of the kind that its step is. @param isOwn whether a table belongs to the caller */
export function decisiveStep(
  namespace: string,
  hook: Hook,
  step: Step,
  isOwn: ((step: Step) => boolean) | undefined,
): Decisive {
  const foreign = isOwn !== undefined && !isOwn(step)
  const kind = foreign
    ? 'foreign-chain'
    : step.kind === 'policy'
      ? 'policy'
      : step.element
        ? 'element'
        : 'rule'
  return { kind, namespace, hook, step }
}

/** A rule with its place as a part of a sentence. */
function placeText({ family, table, chain, handle, text }: RulePlace): string {
  const number = handle === undefined ? '' : `, handle ${handle}`
  return `the rule "${text}" (chain ${chain} of table ${family} ${table}${number})`
}

/** A step as a part of a sentence. */
export function stepText(step: Step): string {
  const chain = `chain ${step.chain} of table ${step.family} ${step.table}`
  if (step.kind === 'policy') return `the policy ${step.effect} of ${chain}`
  const element = step.element
    ? `the element ${step.element.text}${step.element.set === undefined ? '' : ` of ${step.element.set}`}, by `
    : ''
  return `${element}${placeText(step)}`
}

const VERBS = { accept: 'accepts', drop: 'drops', reject: 'rejects' } as const

/** The end of a journey at a hook. @param what is stopped, in words: `it`, for the packet that is asked about */
export function stoppedAt(
  namespace: string,
  hook: Hook,
  result: HookResult,
  isOwn: ((step: Step) => boolean) | undefined,
  what: string,
  packet: Packet,
): Stopped {
  const { verdict, decisive: step, undecided, undecidedRule: rule } = result
  if (verdict === 'unknown' || verdict === 'queue' || verdict === 'stolen' || step === undefined) {
    const statements = undecided.length > 0 ? undecided : step ? [stepText(step)] : []
    return new Stopped(
      {
        kind: 'unknown',
        namespace,
        hook,
        statements,
        ...(rule && { rule }),
        ...(result.isUnreadable && { isUnreadable: true }),
      },
      `in ${namespace}, at ${hook}, it hangs on what nobody can know beforehand: ${statements.join('; ')}${rule ? `, in ${placeText(rule)}` : ''}`,
      'decide about the packet in a rule before that one',
      packet,
    )
  }
  const decisive = decisiveStep(namespace, hook, step, isOwn)
  const because = `in ${namespace}, at ${hook}, ${stepText(step)} ${VERBS[verdict]} ${what}`
  return new Stopped(decisive, because, remedyOf(decisive, step), packet)
}

function remedyOf({ kind }: Decisive, step: Step): string {
  const table = `${step.family} ${step.table}`
  if (kind === 'foreign-chain')
    return `change chain ${step.chain} of table ${table}: what another table accepts does not overrule it`
  if (step.kind === 'policy')
    return `accept it by a rule of chain ${step.chain} (table ${table}), or set that chain's policy to accept`
  if (kind === 'element' && step.element?.set !== undefined)
    return `delete the element ${step.element.text} from ${step.element.set} of table ${table}`
  return `accept it before that rule of chain ${step.chain} (table ${table}), or delete the rule`
}
