/** Chains and statements that belong to other hooks, which the kernel refuses by saying that it does not support them. */
import type { Operation } from './compile/index.js'
import type { Chain, Hook, Rule, Statement } from './model/index.js'
import { addedBy, type Cause } from './refused-cause.js'

/** Of chains of a type, the hooks that it has (struct nft_chain_type of the kernel). */
const typeHooks: { readonly [type: string]: readonly Hook[] | undefined } = {
  nat: ['prerouting', 'input', 'output', 'postrouting'],
  route: ['output'],
}

/** The priority of connection tracking, before which no addresses are translated. */
const CONNTRACK_PRIORITY = -200

export function refusedChain({ type, hook, prio }: Chain): Cause | undefined {
  const hooks = typeHooks[type ?? '']
  if (hooks === undefined || hook === undefined) return undefined
  if (!hooks.includes(hook))
    return {
      message: `a chain of the type ${type} has no hook ${hook}, only ${hooks.join(', ')}`,
      place: 'chain.hook',
    }
  if (type === 'nat' && typeof prio === 'number' && prio <= CONNTRACK_PRIORITY)
    return {
      message: `a chain of the type nat comes after connection tracking: its priority is above ${CONNTRACK_PRIORITY}, not ${prio}`,
      place: 'chain.prio',
    }
  return undefined
}

/** Where a statement, or what it reads, is possible. */
interface Places {
  readonly hooks: readonly Hook[]
  readonly type?: 'nat'
}

const early: readonly Hook[] = ['prerouting', 'input', 'forward']
const rejecting: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'ingress']

/** By the name of the statement (the kernel's `validate` of each expression). */
const statementPlaces: { readonly [name: string]: Places | undefined } = {
  masquerade: { type: 'nat', hooks: ['postrouting'] },
  snat: { type: 'nat', hooks: ['postrouting', 'input'] },
  dnat: { type: 'nat', hooks: ['prerouting', 'output'] },
  redirect: { type: 'nat', hooks: ['prerouting', 'output'] },
  reject: { hooks: rejecting },
  tproxy: { hooks: ['prerouting'] },
  synproxy: { hooks: ['input', 'forward'] },
  flow: { hooks: ['forward'] },
}

/** By the name of the expression. */
const expressionPlaces: { readonly [name: string]: Places | undefined } = {
  socket: { hooks: ['prerouting', 'input', 'output'] },
  osf: { hooks: early },
}

/** A rule with a statement that its chain's hook does not have; the chain may be one that the transaction does not show. */
export function refusedRule(rule: Rule, place: string, operations: readonly Operation[]): Cause | undefined {
  if (place !== 'rule') return undefined
  const chain = chainOf(rule, operations)
  for (const [index, statement] of rule.expr.entries()) {
    const found = placesOf(statement)
    if (found === undefined) continue
    const [name, { hooks, type }] = found
    const isRight =
      chain?.hook !== undefined && hooks.includes(chain.hook) && (type ?? chain.type) === chain.type
    if (isRight) continue
    const where = `${type === undefined ? '' : `in chains of the type ${type} `}at the hooks ${hooks.join(', ')}`
    const here =
      chain?.hook === undefined ? '' : `; ${rule.chain} is of the type ${chain.type} at ${chain.hook}`
    return {
      message: `${name} is possible only ${where}, and in chains that only such jump to${here}`,
      place: `rule.expr[${index}]`,
    }
  }
  const jump = rule.expr.findIndex(
    (statement) => 'jump' in statement || 'goto' in statement || 'vmap' in statement,
  )
  if (jump < 0) return undefined
  return {
    message:
      'a chain that it jumps to has a statement that is not possible at the hook from which it would be reached ' +
      '(masquerade, snat, dnat, redirect, reject, tproxy, synproxy, flow, fib, socket and osf have only some)',
    place: `rule.expr[${jump}]`,
  }
}

function chainOf(rule: Rule, operations: readonly Operation[]): Chain | undefined {
  return operations
    .map(addedBy)
    .flatMap((object) => (object !== undefined && 'chain' in object ? [object.chain] : []))
    .findLast(
      ({ family, table, name }) => family === rule.family && table === rule.table && name === rule.chain,
    )
}

function placesOf(statement: Statement): readonly [name: string, places: Places] | undefined {
  const [[name, value] = ['', undefined]] = Object.entries(statement)
  const own = statementPlaces[name]
  if (own !== undefined) return [name, own]
  if ('mangle' in statement && JSON.stringify(statement.mangle.key) === '{"meta":{"key":"pkttype"}}')
    return ['setting meta pkttype', { hooks: ['prerouting', 'ingress'] }]
  return placesWithin(value)
}

/** Of what a statement reads, however deep it lies. */
function placesWithin(value: unknown): readonly [name: string, places: Places] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const own = expressionPlaces[name] ?? (name === 'fib' ? fibPlaces(inner) : undefined)
    const found = own === undefined ? placesWithin(inner) : ([name, own] as const)
    if (found !== undefined) return found
  }
  return undefined
}

/** `fib` asks by the interface that a packet came by, or will leave by. */
function fibPlaces(value: unknown): Places | undefined {
  const flags = typeof value === 'object' && value !== null && 'flags' in value ? value.flags : undefined
  const result = typeof value === 'object' && value !== null && 'result' in value ? value.result : undefined
  const has = (flag: string): boolean => (Array.isArray(flags) ? flags.includes(flag) : flags === flag)
  if (result !== 'type' || has('iif')) return { hooks: early }
  return has('oif') ? { hooks: ['forward', 'output', 'postrouting'] } : undefined
}
