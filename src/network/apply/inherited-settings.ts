/** Settings of the kernel that one host leaves to another, as elements of that one's set `inherited`. */
import type { KeyField } from '../plan/elements.js'
import { BRIDGE_NETFILTER } from './bridge-netfilter.js'
import { nameOf, partsOf, SETTINGS } from './forwarding-settings.js'

/** The number of the first setting of bridges, which have neither interface nor family. */
const FIRST_OF_BRIDGES = 17

/** The key of a setting and its value; undefined for one that can't stand there. */
export function inheritedKey(name: string, value: string): readonly KeyField[] | undefined {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0) return undefined
  const ofBridges = BRIDGE_NETFILTER.indexOf(name)
  if (ofBridges >= 0) return ['all', 'ipv4', FIRST_OF_BRIDGES + ofBridges, number]
  const parts = partsOf(name)
  return parts && [parts.device, `ipv${parts.family}`, SETTINGS.indexOf(parts.setting) + 1, number]
}

/** The setting and the value that such a key stands for. */
export function fromInheritedKey(key: readonly unknown[]): { name: string; value: string } | undefined {
  const [device, proto, code, number] = key
  const value = String(Number(number))
  const ofBridges = BRIDGE_NETFILTER[Number(code) - FIRST_OF_BRIDGES]
  if (ofBridges !== undefined) return { name: ofBridges, value }
  const setting = SETTINGS[Number(code) - 1]
  if (typeof device !== 'string' || setting === undefined) return undefined
  const family = proto === 'ipv4' || proto === 2 ? 4 : 6
  return { name: nameOf({ family, device, setting }), value }
}
