import { datatype, InvalidValue } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import type { TproxyStatement } from '../model/index.js'
import { prepareSingle } from './argument.js'
import { addressFields } from './dup.js'
import type { TproxyData } from './kernel-expression.js'
import type { Draft } from './message.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

/** `tproxy to 127.0.0.1:80`; the trail stands at its object. */
export function compileTproxy(context: RuleContext, tproxy: TproxyStatement['tproxy']): void {
  const { trail, out } = context
  const family = tproxyFamily(context, tproxy)
  if (tproxy.addr === undefined && tproxy.port === undefined)
    throw new InvalidValue('an address or a port is expected')
  const { transport } = context.protocols
  if (transport === undefined)
    throw new InvalidValue('tproxy comes after a match of the transport protocol (meta l4proto, tcp …)')
  // NFPROTO_UNSPEC: whichever family the packet has.
  const data: Draft<TproxyData> = { family: family === undefined ? 0 : familyNumbers[family] }
  const loads: ((slot: number) => void)[] = []
  if (tproxy.addr !== undefined && family !== undefined) {
    trail.enter('addr')
    loads.push(prepareSingle(context, tproxy.addr, addressFields[family]))
    data.regAddr = register(0)
    trail.leave()
  }
  if (tproxy.port !== undefined) {
    trail.enter('port')
    data.regPort = register(4 * loads.length)
    loads.push(
      prepareSingle(context, tproxy.port, { type: datatype('inet_service'), length: 2, order: 'big' }),
    )
    trail.leave()
  }
  for (const [index, load] of loads.entries()) load(4 * index)
  out.push({ name: 'tproxy', data })
}

function tproxyFamily(context: RuleContext, tproxy: TproxyStatement['tproxy']): 'ip' | 'ip6' | undefined {
  const { family } = context
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    throw new InvalidValue(`a table of family ${family} has no transparent proxy`)
  if (family !== 'inet') {
    if (tproxy.family !== undefined && tproxy.family !== family)
      throw new InvalidValue(`the table is of family ${family}, the proxy of ${tproxy.family}`)
    return family
  }
  const { network } = context.protocols
  const known =
    tproxy.family ??
    (tproxy.addr !== undefined && (network === 'ip' || network === 'ip6') ? network : undefined)
  if (known === undefined && tproxy.addr !== undefined)
    throw new InvalidValue("an address needs family: 'ip' or 'ip6' in a table of family inet")
  return known
}
