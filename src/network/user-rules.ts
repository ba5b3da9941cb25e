import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkInteger, checkObject, checkString } from '../input.js'
import type { Statement } from '../nft/index.js'
import { unknownKeyInStatements } from '../nft/json/unknown-keys.js'
import { readInput } from '../read-input.js'
import type { HostContext } from './apply/host-context.js'
import { endingRevoked } from './apply/user-rule-flows.js'
import { type AddedRule, withFramesFor } from './apply/user-rule-frames.js'
import type { ListedUserRule, UserRule, UserRules } from './apply/user-rules.js'
import { USER_CHAINS, type UserChain } from './rules/names.js'

/** A rule for one of the users' chains: statements (from the builders of `nfbridge/nft`, or nft's JSON), or with a comment. */
export type UserRuleOption = readonly Statement[] | UserRule

/**
 * The users' own rules, in front of ours. Two chains of table `inet nfbridge`, made with the first network and never touched
 * by anything but these calls, so that other tools may write there as well. A verdict in them is final for what they see;
 * rules that give none let the packet go on to ours.
 */
export class HostUserRules {
  /**
   * The chain `user`: all that is forwarded on the host, in both directions, replies too, before everything else (Docker's
   * `DOCKER-USER`). A rule that drops what comes from an address drops its answers to the containers as well.
   */
  readonly forward: UserRuleChain
  /** The chain `user_inbound`: only new traffic towards containers (Docker's `DOCKER`). Their own connections are not concerned. */
  readonly inbound: UserRuleChain

  /** @internal */
  constructor(context: HostContext) {
    this.forward = new UserRuleChain(context, 'forward')
    this.inbound = new UserRuleChain(context, 'inbound')
  }
}

/** One of the two chains. Places are counted from 0. */
export class UserRuleChain {
  readonly #context: HostContext
  readonly #chain: UserChain

  /** @internal */
  constructor(context: HostContext, chain: UserChain) {
    this.#context = context
    this.#chain = chain
  }

  /** The chain's name in table `inet nfbridge`: `user`, `user_inbound`. */
  get name(): string {
    return USER_CHAINS[this.#chain]
  }

  /** The rules as they stand, also those that other tools put there. */
  list(): Promise<readonly ListedUserRule[]> {
    return this.#operate('list', (operation) => {
      this.#requireFirewall(operation)
      return this.#context.kernel.userRules.list(this.#chain)
    })
  }

  /**
   * Puts a rule at a place: before the rule that is there, or, where as many rules stand, at the end. Connections that it forbids stop.
   * @throws NfbridgeError NFB_NOT_FOUND (there are fewer rules), NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT (`firewall: false`), NFB_REJECTED (the kernel's own
   * words), NFB_NOT_SUPPORTED (it concerns what passes within a network, and the kernel has no br_netfilter), NFB_CLOSED
   */
  insert(index: number, rule: UserRuleOption): Promise<void> {
    return this.#operate('insert', (operation) => {
      checkInteger(index, [0, 0xffff_ffff], operation, 'index')
      return this.#put(index, rule, operation)
    })
  }

  /** Puts a rule at the end. @throws NfbridgeError as {@link insert} */
  append(rule: UserRuleOption): Promise<void> {
    return this.#operate('append', (operation) => this.#put('end', rule, operation))
  }

  /**
   * Takes away the rule at a place. Connections that it alone allowed stop, and no others.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_INVALID_ARGUMENT, NFB_CLOSED
   */
  delete(index: number): Promise<void> {
    return this.#operate('delete', async (operation) => {
      this.#requireFirewall(operation)
      checkInteger(index, [0, 0xffff_ffff], operation, 'index')
      await this.#change(operation, (rules) => rules.delete(this.#chain, index, operation))
    })
  }

  /** Takes away all rules, those of other tools too. Connections that they alone allowed stop. */
  flush(): Promise<void> {
    return this.#operate('flush', async (operation) => {
      this.#requireFirewall(operation)
      await this.#change(operation, (rules) => rules.flush(this.#chain, operation))
    })
  }

  async #put(index: number | 'end', given: UserRuleOption, operation: string): Promise<void> {
    this.#requireFirewall(operation)
    const option = readInput(given, operation, 'rule')
    const path = isStatements(option) ? 'rule' : 'rule.expr'
    const rule = parseRule(option, operation)
    refuseUnknownProperties(rule.expr, operation, path)
    await this.#change(operation, (rules) => rules.insert(this.#chain, index, rule, { operation, path }), {
      rule,
      path,
    })
  }

  async #change(
    operation: string,
    change: (rules: UserRules) => Promise<void>,
    added?: AddedRule,
  ): Promise<void> {
    const context = this.#context
    const { userRules } = context.kernel
    // A rule in a chain that nothing leads to any more would be dead.
    await context.mendRules()
    // It is to see every packet from the first moment on.
    if (added) await context.offload.giveWay()
    try {
      await withFramesFor(context, added, operation, () =>
        endingRevoked(context, this.#chain, operation, () => change(userRules)),
      )
    } finally {
      await context.offload.follow(context.registry)
    }
  }

  #operate<T>(call: string, work: (operation: string) => Promise<T>): Promise<T> {
    const operation = `UserRuleChain.${call}`
    return this.#context.operate(operation, () => work(operation))
  }

  #requireFirewall(operation: string): void {
    if (this.#context.settings.firewall) return
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation,
      message:
        'the host was opened with firewall: false, which makes no chain for rules; open it with firewall: true',
    })
  }
}

function parseRule(option: UserRuleOption, operation: string): UserRule {
  if (isStatements(option)) return { expr: checkArray(option, operation, 'rule') }
  checkObject(option, ['expr', 'comment'], operation, 'rule')
  const expr = checkArray(option.expr, operation, 'rule.expr')
  if (option.comment === undefined) return { expr }
  return { expr, comment: checkString(option.comment, operation, 'rule.comment') }
}

/** Here, because without a network nothing is compiled: the rule would be remembered, and fail the first network. */
function refuseUnknownProperties(expr: readonly Statement[], operation: string, path: string): void {
  const found = unknownKeyInStatements(expr)
  if (found === undefined) return
  const { steps, message } = found
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message,
    path: steps.reduce<string>((to, step) => joinPath(to, step), path),
  })
}

function isStatements(option: UserRuleOption): option is readonly Statement[] {
  return Array.isArray(option)
}
