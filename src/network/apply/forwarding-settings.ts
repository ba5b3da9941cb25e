/** The settings of the kernel that forwarding is made of, and what else the kernel writes with them. */
import type { Family } from '../plan/records.js'

/** RFC 1812 forwarding between interfaces; see the kernel's Documentation/networking/ip-sysctl.rst. */
export const FORWARDING: Readonly<Record<Family, string>> = {
  4: 'net.ipv4.ip_forward',
  6: 'net.ipv6.conf.all.forwarding',
}

/** In the order of the numbers that they have in the set `inherited`, from 1; these are never given anew. */
export const SETTINGS = ['forwarding', 'accept_redirects', 'accept_ra'] as const

export type ForwardingSetting = (typeof SETTINGS)[number]

/** With slashes: an interface's name may have dots. */
export function interfaceSetting(family: Family, name: string, setting: ForwardingSetting): string {
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

/** What the name of a setting of forwarding says. */
export interface ForwardingParts {
  readonly family: Family
  readonly device: string
  readonly setting: ForwardingSetting
}

/** Of the setting of a name; undefined where it is none of forwarding. */
export function partsOf(name: string): ForwardingParts | undefined {
  for (const family of [4, 6] as const)
    if (name === FORWARDING[family]) return { family, device: 'all', setting: 'forwarding' }
  const [, family, device, last] = /^net\/ipv([46])\/conf\/(.+)\/(\w+)$/.exec(name) ?? []
  const setting = SETTINGS.find((each) => each === last)
  if (device === undefined || setting === undefined) return undefined
  return { family: family === '4' ? 4 : 6, device, setting }
}

/** The name of the setting of such parts. */
export function nameOf({ family, device, setting }: ForwardingParts): string {
  return device === 'all' && setting === 'forwarding'
    ? FORWARDING[family]
    : interfaceSetting(family, device, setting)
}
