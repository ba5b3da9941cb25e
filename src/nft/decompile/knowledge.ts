/** What the kernel knows or computes for a packet: rt, socket, osf, numgen, hash, xfrm, tunnel. */
import type {
  ExprHashRecord,
  ExprNumgenRecord,
  ExprOsfRecord,
  ExprRtRecord,
  ExprSocketRecord,
  ExprTunnelRecord,
  ExprXfrmRecord,
} from '../../native/records.js'
import { datatype, type RegisterKey, rtKeys, socketKeys, tunnelKeys, xfrmKeys } from '../datatype/index.js'
import { HashTypes, NumgenTypes, OSF_VERSION, OsfTtls, XfrmDirections } from '../kernel/load-constants.js'
import type { Expression } from '../model/index.js'
import { load } from './load.js'
import { operand } from './operand.js'
import type { RuleState } from './rule-state.js'

function loadKey(
  state: RuleState,
  register: number | undefined,
  key: Pick<RegisterKey<string>, 'type' | 'length' | 'order'>,
  expression: Expression,
): boolean {
  const { type, length, order } = key
  return load(state, register, { kind: 'key', expression, type: datatype(type), order }, length)
}

const number32 = { type: 'integer', length: 4, order: 'host' } as const

export function readRt(state: RuleState, { dreg, key }: ExprRtRecord): boolean {
  const known = rtKeys.find(({ number }) => number === key)
  if (!known) return false
  switch (known.name) {
    case 'ip nexthop':
      return loadKey(state, dreg, known, { rt: { key: 'nexthop', family: 'ip' } })
    case 'ip6 nexthop':
      return loadKey(state, dreg, known, { rt: { key: 'nexthop', family: 'ip6' } })
    default:
      return loadKey(state, dreg, known, { rt: { key: known.name } })
  }
}

export function readSocket(state: RuleState, { dreg, key, level = 0 }: ExprSocketRecord): boolean {
  const known = socketKeys.find(({ number }) => number === key)
  if (!known) return false
  const { name } = known
  return loadKey(state, dreg, known, { socket: name === 'cgroupv2' ? { key: name, level } : { key: name } })
}

export function readOsf(state: RuleState, { dreg, ttl = 0, flags = 0 }: ExprOsfRecord): boolean {
  const key = flags === 0 ? 'name' : flags === OSF_VERSION ? 'version' : undefined
  const how = ttl === OsfTtls.loose ? 'loose' : ttl === OsfTtls.skip ? 'skip' : undefined
  if (key === undefined || (ttl !== 0 && how === undefined)) return false
  const name = { type: 'string', length: 16, order: 'host' } as const
  return loadKey(state, dreg, name, { osf: { key, ...(how !== undefined && { ttl: how }) } })
}

export function readNumgen(state: RuleState, record: ExprNumgenRecord): boolean {
  const { dreg, type, modulus: mod, offset = 0, setName } = record
  if (mod === undefined || setName !== undefined) return false
  if (type !== NumgenTypes.inc && type !== NumgenTypes.random) return false
  const mode = type === NumgenTypes.inc ? 'inc' : 'random'
  return loadKey(state, dreg, number32, { numgen: { mode, mod, offset } })
}

export function readHash(state: RuleState, record: ExprHashRecord): boolean {
  const { dreg, type, sreg, len, modulus: mod, offset = 0, seed, setName } = record
  if (mod === undefined || setName !== undefined) return false
  const first = offset === 0 ? {} : { offset }
  if (type === HashTypes.symmetric) return loadKey(state, dreg, number32, { symhash: { mod, ...first } })
  if (type !== HashTypes.jenkins || sreg === undefined || len === undefined) return false
  const loaded = state.registers.span(sreg, len)
  const of = loaded && operand(loaded, state.protocols)
  if (!of) return false
  const expression = { jhash: { mod, expr: of.expression, ...(seed !== undefined && { seed }), ...first } }
  const value = {
    kind: 'key',
    expression,
    type: datatype('integer'),
    order: 'host',
    parts: of.parts,
  } as const
  const sources = loaded.flatMap((each) => each.sources)
  return load(state, dreg, value, 4, { value, length: 4, sources })
}

export function readXfrm(state: RuleState, { dreg, key, dir, spnum = 0 }: ExprXfrmRecord): boolean {
  const known = xfrmKeys.find(({ number }) => number === key)
  if (!known || (dir !== XfrmDirections.in && dir !== XfrmDirections.out)) return false
  const direction = dir === XfrmDirections.in ? 'in' : 'out'
  const common = { dir: direction, spnum } as const
  switch (known.name) {
    case 'reqid':
    case 'spi':
      return loadKey(state, dreg, known, { ipsec: { key: known.name, ...common } })
    case 'ip saddr':
      return loadKey(state, dreg, known, { ipsec: { key: 'saddr', family: 'ip', ...common } })
    case 'ip daddr':
      return loadKey(state, dreg, known, { ipsec: { key: 'daddr', family: 'ip', ...common } })
    case 'ip6 saddr':
      return loadKey(state, dreg, known, { ipsec: { key: 'saddr', family: 'ip6', ...common } })
    case 'ip6 daddr':
      return loadKey(state, dreg, known, { ipsec: { key: 'daddr', family: 'ip6', ...common } })
  }
}

/** NFT_TUNNEL_MODE_RX and _TX are not in the model; NFT_TUNNEL_MODE_NONE is what it means. */
export function readTunnel(state: RuleState, { dreg, key, mode = 0 }: ExprTunnelRecord): boolean {
  const known = tunnelKeys.find(({ number }) => number === key)
  return known !== undefined && mode === 0 && loadKey(state, dreg, known, { tunnel: { key: known.name } })
}
