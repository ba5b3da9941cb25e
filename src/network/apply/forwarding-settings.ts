/** The settings of the kernel that forwarding is made of, and what else the kernel writes with them. */
import type { KeyField } from '../plan/elements.js'
import type { Family } from '../plan/records.js'

/** RFC 1812 forwarding between interfaces; see the kernel's Documentation/networking/ip-sysctl.rst. */
export const FORWARDING: Readonly<Record<Family, string>> = {
  4: 'net.ipv4.ip_forward',
  6: 'net.ipv6.conf.all.forwarding',
}

/** What a host may hand over, by the numbers that stand for it in the set `inherited`; these are never given anew. */
const NUMBERED = ['forwarding', 'accept_redirects', 'accept_ra'] as const

type Setting = (typeof NUMBERED)[number]

/** With slashes: an interface's name may have dots. */
export function interfaceSetting(family: Family, name: string, setting: Setting): string {
  return `net/ipv${family}/conf/${name}/${setting}`
}

/** A setting that the kernel overwrites when forwarding is turned on or off, and its value when it was turned off. */
export interface SideEffect {
  readonly name: string
  readonly left: string
}

/**
 * What writing a family's forwarding overwrites (`inet_forward_change`, `addrconf_fixup_forwarding`): what each interface has, what
 * new ones begin with, and in IPv4 whether redirects are heeded.
 */
export function sideEffects(family: Family, interfaces: readonly string[]): SideEffect[] {
  const forwarding = ['default', ...interfaces].map((name) => ({
    name: interfaceSetting(family, name, 'forwarding'),
    left: '0',
  }))
  if (family === 6) return forwarding
  return [...forwarding, { name: interfaceSetting(4, 'all', 'accept_redirects'), left: '1' }]
}

/** Whether a setting that we remember is one of a family's forwarding. */
export function belongsTo(family: Family, name: string): boolean {
  return partsOf(name)?.family === family
}

interface Parts {
  readonly family: Family
  readonly device: string
  readonly setting: Setting
}

function partsOf(name: string): Parts | undefined {
  for (const family of [4, 6] as const)
    if (name === FORWARDING[family]) return { family, device: 'all', setting: 'forwarding' }
  const [, family, device, last] = /^net\/ipv([46])\/conf\/(.+)\/(\w+)$/.exec(name) ?? []
  const setting = NUMBERED.find((each) => each === last)
  if (device === undefined || setting === undefined) return undefined
  return { family: family === '4' ? 4 : 6, device, setting }
}

/** The key of a setting and its value in the set `inherited`; undefined for one that can't stand there. */
export function inheritedKey(name: string, value: string): readonly KeyField[] | undefined {
  const parts = partsOf(name)
  const number = Number(value)
  if (!parts || !Number.isInteger(number) || number < 0) return undefined
  return [parts.device, `ipv${parts.family}`, NUMBERED.indexOf(parts.setting) + 1, number]
}

/** The setting and the value that such a key stands for. */
export function fromInheritedKey(key: readonly unknown[]): { name: string; value: string } | undefined {
  const [device, proto, code, value] = key
  const setting = NUMBERED[Number(code) - 1]
  if (typeof device !== 'string' || setting === undefined) return undefined
  const family = proto === 'ipv4' || proto === 2 ? 4 : 6
  const name =
    device === 'all' && setting === 'forwarding'
      ? FORWARDING[family]
      : interfaceSetting(family, device, setting)
  return { name, value: String(Number(value)) }
}
