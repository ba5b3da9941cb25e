import type { NftFlowtableRecord } from '../../native/records.js'
import { FlowtableFlags } from '../kernel/constants.js'
import type { Flowtable, FlowtableFlag } from '../model/index.js'
import { flagNames } from './flag-names.js'
import { readFamily } from './objects.js'

/** Undefined when the flowtable has more than the model can say. */
export function readFlowtable(record: NftFlowtableRecord): Flowtable | undefined {
  const { table, name, handle, hook, flags = 0, opaque } = record
  const family = readFamily(record.family)
  const names = flagNames<FlowtableFlag>(FlowtableFlags, flags)
  if (!family || table === undefined || name === undefined || !names || opaque) return undefined
  // NF_NETDEV_INGRESS
  if (hook?.opaque || (hook?.num ?? 0) !== 0) return undefined
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
  }
}
