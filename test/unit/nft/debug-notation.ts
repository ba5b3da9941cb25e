/** Renders compiled expressions as `nft --debug=netlink` prints them, so that its output is what tests expect. */

import type { MessageRecords, NftDataRecord } from '../../../src/native/records.js'
import { selects } from '../../../src/native/select.js'
import {
  type BatchContext,
  compileExpressions,
  type KernelData,
  type KernelExpression,
  type MessageSink,
  type RuleExpression,
  SetScope,
  Trail,
} from '../../../src/nft/compile/index.js'
import { ByteorderOps } from '../../../src/nft/kernel/constants.js'
import type { Family, MapObject, SetObject, Statement } from '../../../src/nft/model/index.js'

const metaNames: { readonly [key: number]: string } = {
  0: 'len',
  1: 'protocol',
  2: 'priority',
  3: 'mark',
  4: 'iif',
  5: 'oif',
  6: 'iifname',
  7: 'oifname',
  8: 'iiftype',
  9: 'oiftype',
  10: 'skuid',
  11: 'skgid',
  13: 'rtclassid',
  12: 'nftrace',
  14: 'secmark',
  15: 'nfproto',
  16: 'l4proto',
  17: 'bri_iifname',
  18: 'bri_oifname',
  19: 'pkttype',
  20: 'cpu',
  21: 'iifgroup',
  22: 'oifgroup',
  23: 'cgroup',
  24: 'prandom',
  25: 'secpath',
  26: 'iifkind',
  27: 'oifkind',
  28: 'bri_iifpvid',
  29: 'bri_iifvproto',
  30: 'time',
  31: 'day',
  32: 'hour',
  33: 'sdif',
  34: 'sdifname',
}
const ctNames: { readonly [key: number]: string } = {
  0: 'state',
  1: 'direction',
  2: 'status',
  3: 'mark',
  5: 'expiration',
  6: 'helper',
  7: 'l3protocol',
  8: 'src',
  9: 'dst',
  10: 'protocol',
  11: 'proto_src',
  4: 'secmark',
  12: 'proto_dst',
  18: 'event',
  13: 'label',
  14: 'packets',
  15: 'bytes',
  16: 'avgpkt',
  17: 'zone',
  19: 'src_ip',
  20: 'dst_ip',
  21: 'src_ip6',
  22: 'dst_ip6',
  23: 'unknown',
}
const extensionOps = ['ipv6 ', 'tcpopt ', 'ipv4 ', '']
const rtNames = ['classid', 'nexthop4', 'nexthop6', 'tcpmss', 'ipsec']
const socketNames = ['transparent', 'mark', 'wildcard', 'cgroupv2']
const xfrmNames = ['unknown', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi']
const bases = ['link', 'network', 'transport', 'inner', 'tunnel']
const cmpOps = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte']
const verdicts: { readonly [code: number]: string } = {
  0: 'drop',
  1: 'accept',
  [-1]: 'continue',
  [-3]: 'jump',
  [-4]: 'goto',
  [-5]: 'return',
}
const periods: { readonly [seconds: string]: string } = {
  1: 'second',
  60: 'minute',
  3600: 'hour',
  86400: 'day',
  604800: 'week',
}
const families: { readonly [family: number]: string } = { 1: 'inet', 2: 'ip', 10: 'ip6' }

/** Words of four bytes in the host's order, as libnftnl prints values. */
export function words(bytes: Uint8Array, prefix = '0x'): string {
  const padded = new Uint8Array((bytes.length + 3) & ~3)
  padded.set(bytes)
  return Array.from(
    new Uint32Array(padded.buffer),
    (word) => prefix + word.toString(16).padStart(8, '0'),
  ).join(' ')
}

function value(data: KernelData): string {
  if ('value' in data) return words(data.value)
  const { code, chain } = data.verdict
  return `${verdicts[code] ?? code}${chain === undefined ? '' : ` -> ${chain}`}`
}

/** `addr_min reg 1` for each of some registers that is used. */
function registers(entries: readonly (readonly [string, number | undefined])[]): string {
  return entries
    .map(([name, register]) => (register === undefined ? '' : `${name} reg ${register} `))
    .join('')
}

function flagsOf(flags: number | undefined): string {
  return flags === undefined ? '' : `flags 0x${flags.toString(16)} `
}

const logFlags = [
  [0x01, 'tcpseq'],
  [0x02, 'tcpopt'],
  [0x04, 'ipopt'],
  [0x08, 'uid'],
  [0x20, 'macdecode'],
] as const

const fibFlags = [
  [1, 'saddr'],
  [2, 'daddr'],
  [4, 'mark'],
  [8, 'iif'],
  [16, 'oif'],
] as const
const fibResults = ['', 'oif', 'oifname', 'type']

/** One expression: `[ payload load 4b @ network header + 12 => reg 1 ]`. */
export function render(expression: RuleExpression): string {
  return `[ ${body(expression)} ]`
}

function isCompiled(expression: RuleExpression): expression is KernelExpression {
  return expression.data !== undefined && !('opaque' in expression.data)
}

function body(expression: RuleExpression): string {
  if (selects(expression, 'name', 'inner')) {
    const { type, hdrsize, flags, expr } = expression.data ?? {}
    return `inner type ${type} hdrsize ${hdrsize} flags ${flags?.toString(16)} ${expr && render(expr)}`
  }
  if (!isCompiled(expression)) return `${expression.name}`
  switch (expression.name) {
    case 'payload': {
      const { len, base, offset, dreg, sreg, csumType, csumOffset, csumFlags } = expression.data
      if (sreg !== undefined)
        return `payload write reg ${sreg} => ${len}b @ ${bases[base]} header + ${offset} csum_type ${csumType ?? 0} csum_off ${csumOffset ?? 0} csum_flags 0x${(csumFlags ?? 0).toString(16)}`
      return `payload load ${len}b @ ${bases[base]} header + ${offset} => reg ${dreg}`
    }
    case 'meta': {
      const { key, dreg, sreg } = expression.data
      const name = metaNames[key] ?? key
      return sreg === undefined ? `meta load ${name} => reg ${dreg}` : `meta set ${name} with reg ${sreg}`
    }
    case 'ct': {
      const { key, dreg, direction, sreg } = expression.data
      const suffix = direction === undefined ? '' : ` , dir ${direction === 0 ? 'original' : 'reply'}`
      if (sreg !== undefined) return `ct set ${ctNames[key] ?? key} with reg ${sreg}${suffix}`
      return `ct load ${ctNames[key] ?? key} => reg ${dreg}${suffix}`
    }
    case 'fib': {
      const { flags, result, dreg } = expression.data
      const names = fibFlags.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
      return `fib ${names.join(' . ')} ${fibResults[result]}${flags & 32 ? ' present' : ''} => reg ${dreg}`
    }
    case 'exthdr': {
      const { type, op } = expression.data
      if (!('offset' in expression.data)) return `exthdr reset ${extensionOps[op]}${type}`
      const { offset, len } = expression.data
      if ('sreg' in expression.data)
        return `exthdr write ${extensionOps[op]}reg ${expression.data.sreg} => ${len}b @ ${type} + ${offset}`
      const { flags, dreg } = expression.data
      const place = `${len}b @ ${type} + ${offset}${flags ? ' present' : ''}`
      return `exthdr load ${extensionOps[op]}${place} => reg ${dreg}`
    }
    case 'rt':
      return `rt load ${rtNames[expression.data.key]} => reg ${expression.data.dreg}`
    case 'socket': {
      const { key, dreg, level } = expression.data
      return `socket load ${socketNames[key]}${level === undefined ? '' : `, level ${level}`} => reg ${dreg}`
    }
    case 'osf':
      return `osf dreg ${expression.data.dreg}`
    case 'numgen': {
      const { dreg, type, modulus, offset } = expression.data
      const first = offset === undefined ? '' : ` offset ${offset}`
      return `numgen reg ${dreg} = ${type === 0 ? 'inc' : 'random'} mod ${modulus}${first}`
    }
    case 'hash': {
      const { dreg, sreg, len, seed, modulus, offset } = expression.data
      const first = offset === undefined ? '' : ` offset ${offset}`
      if (sreg === undefined) return `hash reg ${dreg} = symhash() % mod ${modulus}${first}`
      const start = `, 0x${(seed ?? 0).toString(16)}`
      return `hash reg ${dreg} = jhash(reg ${sreg}, ${len}${start}) % mod ${modulus}${first}`
    }
    case 'xfrm': {
      const { dreg, key, dir, spnum } = expression.data
      return `xfrm load ${dir === 0 ? 'in' : 'out'} ${spnum} ${xfrmNames[key]} => reg ${dreg}`
    }
    case 'tunnel':
      return `tunnel load ${expression.data.key === 0 ? 'path' : 'id'} => reg ${expression.data.dreg}`
    case 'cmp':
      return `cmp ${cmpOps[expression.data.op]} reg ${expression.data.sreg} ${value(expression.data.data)}`
    case 'range': {
      const { sreg, fromData, toData } = expression.data
      return `range neq reg ${sreg} ${value(fromData)} ${value(toData)}`
    }
    case 'bitwise': {
      const { sreg, dreg, op, mask, xor, data, sreg2 } = expression.data
      if (mask !== undefined && xor !== undefined)
        return `bitwise reg ${dreg} = ( reg ${sreg} & ${value(mask)} ) ^ ${value(xor)}`
      if (sreg2 !== undefined)
        return `bitwise reg ${dreg} = ( reg ${sreg} ${['&', '|', '^'][op - 3]} reg ${sreg2} )`
      return `bitwise reg ${dreg} = ( reg ${sreg} ${op === 1 ? '<<' : '>>'} ${data === undefined ? '' : value(data)} )`
    }
    case 'byteorder': {
      const { sreg, dreg, op, size, len } = expression.data
      return `byteorder reg ${dreg} = ${op === ByteorderOps.hton ? 'hton' : 'ntoh'}(reg ${sreg}, ${size}, ${len})`
    }
    case 'lookup': {
      const { sreg, dreg, set, flags } = expression.data
      const target = dreg === undefined ? '' : ` dreg ${dreg}`
      return `lookup reg ${sreg} set ${set}${target}${flags === undefined ? '' : ` 0x${flags.toString(16)}`}`
    }
    case 'immediate':
      return `immediate reg ${expression.data.dreg} ${value(expression.data.data)}`
    case 'counter':
      return `counter pkts ${expression.data.packets ?? 0} bytes ${expression.data.bytes ?? 0}`
    case 'objref':
      return expression.data.setName === undefined
        ? `objref type ${expression.data.immType} name ${expression.data.immName}`
        : `objref sreg ${expression.data.setSreg} set ${expression.data.setName}`
    case 'quota': {
      const { bytes, consumed, flags } = expression.data
      return `quota bytes ${bytes} consumed ${consumed} flags ${flags}`
    }
    case 'connlimit':
      return `connlimit count ${expression.data.count} flags ${expression.data.flags}`
    case 'last':
      return `last ${expression.data.msecs ?? 'never'}`
    case 'queue': {
      const { num, total, sregQnum, flags = 0 } = expression.data
      const which =
        num === undefined ? `sreg_qnum ${sregQnum}` : `num ${num}${total > 1 ? `-${num + total - 1}` : ''}`
      return `queue ${which}${flags & 1 ? ' bypass' : ''}${flags & 2 ? ' fanout' : ''}`
    }
    case 'synproxy':
      return `synproxy mss ${expression.data.mss ?? 0} wscale ${expression.data.wscale ?? 0}`
    case 'tproxy': {
      const { family, regAddr, regPort } = expression.data
      const list = registers([
        ['addr', regAddr],
        ['port', regPort],
      ])
      return `tproxy ${family === 0 ? '' : `${families[family]} `}${list}`.trimEnd()
    }
    case 'dup': {
      const { sregAddr, sregDev } = expression.data
      const address = sregAddr === undefined ? '' : ` sreg_addr ${sregAddr}`
      return `dup${address}${sregDev === undefined ? '' : ` sreg_dev ${sregDev}`}`
    }
    case 'fwd': {
      const { sregDev, sregAddr, nfproto } = expression.data
      return `fwd sreg_dev ${sregDev}${sregAddr === undefined ? '' : ` sreg_addr ${sregAddr} nfproto ${nfproto}`}`
    }
    case 'flow_offload':
      return `flow_offload flowtable ${expression.data.tableName}`
    case 'dynset': {
      const { setName, op, sregKey, sregData, timeout, expr, expressions } = expression.data
      const data = sregData === undefined ? '' : ` sreg_data ${sregData}`
      const time = timeout === undefined ? '' : ` timeout ${timeout}ms`
      const states = (expressions ?? (expr ? [expr] : [])).map((state) => ` expr ${render(state)}`)
      return `dynset ${['add', 'update', 'delete'][op]} reg_key ${sregKey} set ${setName}${data}${time}${states.join('')}`
    }
    case 'limit': {
      const { rate, unit, burst, type, flags } = expression.data
      const kind = type === 0 ? 'packets' : 'bytes'
      return `limit rate ${rate}/${periods[String(unit)]} burst ${burst ?? 0} type ${kind} flags 0x${flags.toString(16)}`
    }
    case 'log': {
      const { prefix, group, snaplen, qthreshold, level, flags } = expression.data
      let text = 'log'
      if (prefix !== undefined) text += ` prefix ${prefix}`
      if (group !== undefined)
        return `${text} group ${group} snaplen ${snaplen ?? 0} qthreshold ${qthreshold ?? 0}`
      if (level !== undefined) text += ` level ${level}`
      for (const [bit, name] of logFlags) if (((flags ?? 0) & bit) !== 0) text += ` ${name}`
      return text
    }
    case 'reject':
      return `reject type ${expression.data.type} code ${expression.data.icmpCode ?? 0}`
    case 'nat': {
      const { type, family, regAddrMin, regAddrMax, regProtoMin, regProtoMax, flags } = expression.data
      const list = registers([
        ['addr_min', regAddrMin],
        ['addr_max', regAddrMax],
        ['proto_min', regProtoMin],
        ['proto_max', regProtoMax],
      ])
      return `nat ${type === 0 ? 'snat' : 'dnat'} ${families[family]} ${list}${flagsOf(flags)}`.trimEnd()
    }
    case 'masq':
    case 'redir': {
      const { regProtoMin, regProtoMax, flags } = expression.data
      const list = registers([
        ['proto_min', regProtoMin],
        ['proto_max', regProtoMax],
      ])
      return `${expression.name} ${list}${flagsOf(flags)}`.trimEnd()
    }
    case 'notrack':
      return 'notrack'
  }
}

/** A message as the compiler made it. */
export interface Message {
  readonly name: string
  readonly flags: number
  readonly record: object
}

/** Collects messages; what stands for the packer in tests. */
export class Collector implements MessageSink {
  readonly messages: Message[] = []

  add<K extends keyof MessageRecords>(name: K, flags: number, record: MessageRecords[K]): number {
    return this.messages.push({ name, flags, record }) - 1
  }

  /** The records of the messages of one name. */
  of<K extends keyof MessageRecords>(name: K): MessageRecords[K][] {
    // `add` is the only one to put records in, under the name that they belong to.
    return this.messages
      .filter((message) => message.name === name)
      .map(({ record }) => record as MessageRecords[K])
  }
}

/** A batch that collects its messages, in which some sets are declared. */
export function batchOf(sink: MessageSink, declared: readonly (SetObject | MapObject)[] = []): BatchContext {
  const scope = new SetScope()
  for (const object of declared) scope.declare('set' in object ? object.set : object.map)
  return { sink, scope, trail: new Trail(), nextSetId: 0 }
}

/** A rule as `nft --debug=netlink` prints it: its anonymous sets, their elements, its expressions. */
export function compileLines(
  family: Family,
  expr: readonly Statement[],
  declared: readonly (SetObject | MapObject)[] = [],
): string[] {
  const sink = new Collector()
  const expressions = compileExpressions(batchOf(sink, declared), { family, table: 't', chain: 'c', expr })
  const elements = sink.of('nftNewElement')
  const sets = sink
    .of('nftNewSet')
    .flatMap((set, index) => [
      `${set.name} ${set.table} ${(set.flags ?? 0).toString(16)} size ${set.desc?.size}`,
      ...renderElements(elements[index]),
    ])
  return [...sets, ...expressions.map(render)]
}

/** The elements of one message. */
export function renderElements(list: MessageRecords['nftNewElement'] | undefined): string[] {
  return (list?.elements ?? []).map(({ key, keyEnd, data, flags }) => {
    const end = keyEnd === undefined ? '' : ` - ${plain(keyEnd)} `
    const value = data === undefined ? '' : `${plain(data)} `
    return `element ${key === undefined ? '' : `${plain(key)} `}${end} : ${value}${(flags ?? 0).toString(16)} [end]`
  })
}

function plain(data: NftDataRecord): string {
  if (data.value !== undefined) return words(data.value, '')
  const { code = 0, chain } = data.verdict ?? {}
  return `${verdicts[code] ?? code}${chain === undefined ? '' : ` -> ${chain}`}`
}
