/** One rule: its statements from left to right. */
import {
  type DynamicKey,
  type Expression,
  type Rule,
  type Statement,
  toText,
  type Verdict,
} from '../nft/index.js'
import type { Value } from './constant.js'
import { lookUpData, type Scope, valuesOf } from './expression.js'
import { typesOf } from './field-type.js'
import type { FoundElement } from './lookup.js'
import { matches } from './match.js'
import { type Packet, untracked } from './packet.js'
import { statementsOf } from './statements.js'
import { deviceTranslation, natTranslation, type Translation } from './translation.js'

/** What ends a packet's way at a hook, or a rule. */
export type RuleVerdict =
  | Verdict
  | { readonly reject: true }
  | { readonly queue: true }
  /** A statement hands the packet on to somewhere else (`fwd`, `tproxy`, `synproxy`). */
  | { readonly stolen: string }

/** What a rule came to. */
export interface RuleOutcome {
  /** Undefined: the rule did not match, or it matched and decided nothing. */
  readonly verdict?: RuleVerdict
  readonly translation?: Translation
  /** The packet with the marks that the rule set. */
  readonly packet: Packet
  /** The last element that a set or map found, and where. */
  readonly element?: { readonly found: FoundElement; readonly set?: string }
  /** What the rule wrote. */
  readonly changed?: string
}

/** What rules are evaluated with: they may change the packet, and put keys into sets. */
export interface RuleScope extends Scope {
  packet: Packet
  add(set: string, key: readonly Value[]): void
}

/** Evaluates the statements; rules that do not match come back without a verdict. */
export function evaluateRule(rule: Rule, scope: RuleScope): RuleOutcome {
  let element: RuleOutcome['element']
  let changed: string | undefined
  const outcome = (more: Partial<RuleOutcome> = {}): RuleOutcome => ({
    packet: scope.packet,
    ...(element && { element }),
    ...(changed !== undefined && { changed }),
    ...more,
  })
  const statements = statementsOf(rule)
  for (const statement of statements) {
    if ('match' in statement) {
      const result = matches(statement, scope)
      const holds = result.holds ?? scope.choose([true], textOf(statement, rule)) ?? false
      if (!holds) return outcome()
      const { right } = statement.match
      if (result.found) element = { found: result.found, ...(typeof right === 'string' && { set: right }) }
      continue
    }
    if ('vmap' in statement) {
      const { key, data } = statement.vmap
      const found = lookUpData(key, data, scope, textOf(statement, rule))
      if (found === undefined) return outcome()
      element = { found, ...(typeof data === 'string' && { set: data }) }
      const verdict = found.data
      if (!isVerdict(verdict) || 'continue' in verdict) continue
      return outcome({ verdict })
    }
    if ('set' in statement) {
      const { op, elem, set, stmt = [] } = statement.set
      const key = valuesOf(isElement(elem) ? elem.elem.val : elem, scope)
      if (key === 'absent') return outcome()
      if (op !== 'delete') scope.add(set, key)
      // The element is there by now, also where it has had too much (nft_dynset_eval).
      if (stmt.some((each) => endOf(each, false, rule, scope) === 'break')) return outcome()
      continue
    }
    if ('mangle' in statement) {
      // Another address or port: from here on nobody knows the packet.
      if (rewrites(statement.mangle.key)) return outcome({ verdict: { stolen: textOf(statement, rule) } })
      const done = mangle(statement.mangle, scope)
      if (done === 'absent') return outcome()
      if (done) {
        scope.packet = done
        changed = textOf(statement, rule)
      }
      continue
    }
    const translation = translationOf(statement, scope)
    if (translation !== undefined)
      return translation === 'absent'
        ? outcome()
        : outcome({
            translation,
            ...(translation.found && {
              element: { found: translation.found, ...mapName(statement) },
            }),
          })
    const ending = endOf(statement, statement === statements.at(-1), rule, scope)
    if (ending === 'break') return outcome()
    if (ending) return outcome({ verdict: ending })
    if ('notrack' in statement && scope.packet.connection === undefined) {
      const { source, destination, protocol } = scope.packet
      scope.packet = { ...scope.packet, connection: untracked({ source, destination, protocol }) }
      changed = 'notrack'
    }
  }
  return outcome()
}

/** What a statement translates to; undefined for statements that translate nothing. */
function translationOf(statement: Statement, scope: Scope): Translation | 'absent' | undefined {
  if ('dnat' in statement) return natTranslation('destination', statement.dnat, scope) ?? 'absent'
  if ('snat' in statement) return natTranslation('source', statement.snat, scope) ?? 'absent'
  if ('masquerade' in statement) return deviceTranslation('source', statement.masquerade, scope) ?? 'absent'
  if ('redirect' in statement) return deviceTranslation('destination', statement.redirect, scope) ?? 'absent'
  return undefined
}

/** Whether a statement ends the rule or the chain; undefined: it goes on. */
function endOf(
  statement: Statement,
  isLast: boolean,
  rule: Rule,
  scope: Scope,
): RuleVerdict | 'break' | undefined {
  if (isVerdict(statement)) return 'continue' in statement ? undefined : statement
  if ('reject' in statement) return { reject: true }
  if ('queue' in statement) return { queue: true }
  if ('fwd' in statement || 'tproxy' in statement || 'synproxy' in statement)
    return { stolen: textOf(statement, rule) }
  // Limits are taken not to be reached: what they let through once in a while is let through.
  if ('limit' in statement) return isOver(statement.limit) ? 'break' : undefined
  if ('quota' in statement) return isOver(statement.quota) ? 'break' : undefined
  if ('ct count' in statement) return isOver(statement['ct count']) ? 'break' : undefined
  if ('opaque' in statement) {
    // What this library has no words for may match or not, and may be a verdict of its own.
    const answer = scope.choose(['goes on', 'drops'], textOf(statement, rule), true)
    if (answer === undefined) return 'break'
    return answer === 'drops' && isLast ? { drop: null } : undefined
  }
  if ('xt' in statement) {
    const text = textOf(statement, rule)
    // A match matches or not; a target may decide, or leave the packet to the next rule.
    if (statement.xt.type === 'match') return scope.choose([true], text, true) ? undefined : 'break'
    return scope.choose<RuleVerdict>([{ accept: null }, { drop: null }], text, true)
  }
  return undefined
}

function isElement(key: DynamicKey): key is Exclude<DynamicKey, Expression> {
  return typeof key === 'object' && 'elem' in key
}

function isOver(limit: unknown): boolean {
  return typeof limit === 'object' && limit !== null && 'inv' in limit && limit.inv === true
}

/** The packet with a mark or zone that is set; undefined for what no later rule here can ask for. */
function mangle(
  { key, value }: { readonly key: object; readonly value: Parameters<typeof valuesOf>[0] },
  scope: Scope,
): Packet | 'absent' | undefined {
  if ('ct' in key && isKey(key.ct, 'zone')) return zoned(key.ct, value, scope)
  const target =
    'meta' in key && isKey(key.meta, 'mark')
      ? 'meta'
      : 'ct' in key && isKey(key.ct, 'mark')
        ? 'ct'
        : undefined
  if (target === undefined) return undefined
  const types = typesOf({ meta: { key: 'mark' } }, scope.packet.family, scope.set)
  const values = valuesOf(value, scope, types)
  if (values === 'absent') return values
  const mark = typeof values[0] === 'bigint' ? Number(values[0]) : undefined
  if (target === 'meta') return { ...scope.packet, mark }
  const { connection } = scope.packet
  return connection && { ...scope.packet, connection: { ...connection, mark } }
}

/** The packet in a zone of connection tracking, as far as it was not tracked already (nft_ct_set_zone_eval). */
function zoned(
  reference: unknown,
  value: Parameters<typeof valuesOf>[0],
  scope: Scope,
): Packet | 'absent' | undefined {
  if (scope.packet.connection !== undefined) return undefined
  const values = valuesOf(value, scope, [{ type: 'integer', bits: 16 }])
  if (values === 'absent') return values
  const [id] = values
  if (typeof id !== 'bigint') return undefined
  const direction = isDirected(reference) ? reference.dir : undefined
  const { original = 0, reply = 0 } = scope.packet.zone ?? {}
  const zone = {
    original: direction === 'reply' ? original : Number(id),
    reply: direction === 'original' ? reply : Number(id),
  }
  return { ...scope.packet, zone }
}

function isDirected(reference: unknown): reference is { readonly dir: string } {
  return (
    typeof reference === 'object' &&
    reference !== null &&
    'dir' in reference &&
    typeof reference.dir === 'string'
  )
}

/** Whether a field decides where the packet goes. */
function rewrites(key: object): boolean {
  const payload: unknown = 'payload' in key ? key.payload : undefined
  if (typeof payload !== 'object' || payload === null) return false
  return !('field' in payload && HARMLESS.has(String(payload.field)))
}

/** Fields whose value decides nothing about the packet's way. */
const HARMLESS: ReadonlySet<string> = new Set([
  'dscp',
  'ecn',
  'ttl',
  'hoplimit',
  'id',
  'checksum',
  'flowlabel',
  'window',
  'urgptr',
  'frag-off',
])

function isKey(reference: unknown, key: string): boolean {
  return typeof reference === 'object' && reference !== null && 'key' in reference && reference.key === key
}

function mapName(statement: Statement): { readonly set?: string } {
  const target = 'dnat' in statement ? statement.dnat : 'snat' in statement ? statement.snat : undefined
  const address: unknown = target?.addr
  if (typeof address !== 'object' || address === null || !('map' in address)) return {}
  const { map } = address
  const data: unknown = typeof map === 'object' && map !== null && 'data' in map ? map.data : undefined
  return typeof data === 'string' ? { set: data } : {}
}

/** Whether something is a verdict of nft's. */
export function isVerdict(value: unknown): value is Verdict {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['accept', 'drop', 'continue', 'return', 'jump', 'goto'].some((name) => name in value)
  )
}

function textOf(statement: Statement, rule: Rule): string {
  return toText(statement, { family: rule.family })
}
