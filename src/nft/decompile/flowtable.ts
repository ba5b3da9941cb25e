import type { NftFlowtableRecord } from '../../native/records.js'
import { FlowtableFlags } from '../kernel/constants.js'
import type { Flowtable, FlowtableFlag } from '../model/index.js'
import { readFamily } from './objects.js'
import { splitFlags, unknownParts } from './unknown.js'

/** Undefined when the flowtable is of a family or hook that the model does not have. */
export function readFlowtable(record: NftFlowtableRecord): Flowtable | undefined {
  const { table, name, handle, hook, opaque } = record
  const family = readFamily(record.family)
  const { names, flags } = splitFlags<FlowtableFlag>(FlowtableFlags, record.flags ?? 0)
  if (!family || table === undefined || name === undefined) return undefined
  // NF_NETDEV_INGRESS
  if ((hook?.num ?? 0) !== 0) return undefined
  const devices = hook?.devs ?? []
  const [device] = devices
  return {
    family,
    name,
    table,
    ...(handle !== undefined && { handle: Number(handle) }),
    hook: 'ingress',
    prio: hook?.priority ?? 0,
    ...(device !== undefined && { dev: devices.length === 1 ? device : devices }),
    ...(names.length > 0 && { flags: names }),
    ...unknownParts({ flags, attributes: opaque, hook: hook?.opaque }),
  }
}
