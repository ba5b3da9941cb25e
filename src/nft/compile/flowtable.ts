/** Flowtables: which connections are forwarded past the rules. */
import { InvalidValue, quote } from '../datatype/index.js'
import { FlowtableFlags } from '../kernel/constants.js'
import type { Flowtable } from '../model/index.js'
import { checkDevice, priorityNumber } from './chain.js'
import type { Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import { flagBits } from './number.js'
import type { ObjectName } from './object.js'
import type { BatchContext } from './rule-context.js'
import { unknownAttributes, unknownFlags } from './unknown.js'

/** NF_NETDEV_INGRESS, the one hook that flowtables have. */
const INGRESS = 0

/** Adds a flowtable; the trail stands at it. */
export function addFlowtable(batch: BatchContext, flowtable: Flowtable, flags: number): void {
  const { trail } = batch
  const { family, hook, prio, dev } = flowtable
  const number = familyNumber(family)
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    throw new InvalidValue(`a table of family ${family} has no flowtables: ip, ip6 and inet have`)
  trail.enter('hook')
  if (hook !== 'ingress') throw new InvalidValue(`a flowtable has the hook ingress, not ${quote(hook)}`)
  trail.leave()
  trail.enter('prio')
  const priority = priorityNumber('netdev', prio)
  trail.leave()
  trail.enter('dev')
  const devs = dev === undefined ? [] : [dev].flat()
  for (const device of devs) checkDevice(device)
  trail.leave()
  trail.enter('flags')
  const bits = flagBits(flowtable.flags, FlowtableFlags, 'a flowtable') | unknownFlags(flowtable.unknown)
  trail.leave()
  batch.sink.add('nftNewFlowtable', flags, {
    family: number,
    table: checkName(flowtable.table, 'table'),
    name: checkName(flowtable.name, 'flowtable'),
    hook: {
      num: INGRESS,
      priority,
      ...(devs.length > 0 && { devs }),
      ...unknownAttributes(flowtable.unknown, 'hook', trail),
    },
    ...unknownAttributes(flowtable.unknown, 'attributes', trail),
    ...(bits !== 0 && { flags: bits }),
  })
}

/** Deletes a flowtable, which no rule may refer to. */
export function deleteFlowtable(batch: BatchContext, flowtable: ObjectName, removal: Removal = 'Del'): void {
  batch.sink.add(`nft${removal}Flowtable`, 0, {
    family: familyNumber(flowtable.family),
    table: checkName(flowtable.table, 'table'),
    name: checkName(flowtable.name, 'flowtable'),
  })
}
