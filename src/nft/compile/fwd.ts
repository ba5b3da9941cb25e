import { InvalidValue, quote } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import type { FwdStatement } from '../model/index.js'
import { prepareSingle } from './argument.js'
import { addressFields, interfaceField } from './dup.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

/** `fwd to "lo"`, `fwd ip to 10.0.0.1 device "lo"`; the trail stands at its object. */
export function compileFwd(context: RuleContext, fwd: FwdStatement['fwd']): void {
  const { trail, out } = context
  if (context.family !== 'netdev')
    throw new InvalidValue(`a table of family ${context.family} cannot forward packets: netdev can`)
  trail.enter('dev')
  const load = prepareSingle(context, fwd.dev, interfaceField)
  trail.leave()
  if (fwd.addr === undefined) {
    load(0)
    out.push({ name: 'fwd', data: { sregDev: register(0) } })
    return
  }
  const { family } = fwd
  if (family !== 'ip' && family !== 'ip6')
    throw new InvalidValue(`addr needs family: 'ip' or 'ip6', not ${quote(family)}`)
  trail.enter('addr')
  const loadAddress = prepareSingle(context, fwd.addr, addressFields[family])
  trail.leave()
  load(0)
  loadAddress(4)
  out.push({
    name: 'fwd',
    data: { sregDev: register(0), sregAddr: register(4), nfproto: familyNumbers[family] },
  })
}
