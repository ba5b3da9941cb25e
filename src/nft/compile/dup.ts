import { datatype, InvalidValue } from '../datatype/index.js'
import type { DupStatement } from '../model/index.js'
import { type ArgumentField, prepareSingle } from './argument.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

/** An interface by its index, as the kernel's registers have it. */
export const interfaceField: ArgumentField = { type: datatype('iface_index'), length: 4, order: 'host' }

export const addressFields: { readonly [F in 'ip' | 'ip6']: ArgumentField } = {
  ip: { type: datatype('ipv4_addr'), length: 4, order: 'big' },
  ip6: { type: datatype('ipv6_addr'), length: 16, order: 'big' },
}

/** `dup to 10.0.0.1 device "lo"`; in netdev `dup to "lo"`. The trail stands at its object. */
export function compileDup(context: RuleContext, dup: DupStatement['dup']): void {
  const { trail, out, family } = context
  if (family !== 'ip' && family !== 'ip6' && family !== 'netdev')
    throw new InvalidValue(`a table of family ${family} cannot duplicate packets: ip, ip6 and netdev can`)
  trail.enter('addr')
  const load = prepareSingle(context, dup.addr, family === 'netdev' ? interfaceField : addressFields[family])
  trail.leave()
  if (family === 'netdev') {
    load(0)
    if (dup.dev !== undefined) throw new InvalidValue('in a table of family netdev addr is the interface')
    out.push({ name: 'dup', data: { sregDev: register(0) } })
    return
  }
  if (dup.dev === undefined) {
    load(0)
    out.push({ name: 'dup', data: { sregAddr: register(0) } })
    return
  }
  trail.enter('dev')
  const loadDevice = prepareSingle(context, dup.dev, interfaceField)
  trail.leave()
  load(0)
  loadDevice(4)
  out.push({ name: 'dup', data: { sregAddr: register(0), sregDev: register(4) } })
}
