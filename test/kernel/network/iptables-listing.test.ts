/** `toText('iptables')` against iptables itself: the same rules, made by iptables-restore in a namespace, listed by it. */
import { describe, expect, it } from 'vitest'
import { listingCommand, tableText } from '../../../src/network/text/iptables-table.js'
import { iptablesTables } from '../../../src/network/text/iptables-text.js'
import { closeAfterEach, newNamespaces } from '../../support/namespaces.js'
import { runIn } from '../../support/tools.js'
import { hosts } from '../../unit/network/text/hosts.js'
import { restoreInput } from './iptables-restore.js'

const keep = closeAfterEach()

/** iptables 1.8.9 prints numbers, the versions before and after it names. */
const protocolNames: ReadonlyMap<string, string> = new Map([
  ['0', 'all'],
  ['1', 'icmp'],
  ['6', 'tcp'],
  ['17', 'udp'],
  ['58', 'icmpv6'],
  ['132', 'sctp'],
])

const named = (listing: string): string =>
  listing.replaceAll(/^(\S+ +)(\d+) +--/gm, (_, target: string, number: string) => {
    return `${target}${(protocolNames.get(number) ?? number).padEnd(4)} --`
  })

describe.each(hosts)('$title', ({ view, facts }) => {
  it.each(iptablesTables(view, facts))(
    'is what ip(6)tables prints of table $name (IPv$family)',
    async (table) => {
      const [space] = await newNamespaces(keep, 1)
      if (!space) throw new Error('no namespace')
      const program = table.family === 4 ? 'iptables' : 'ip6tables'
      await runIn(space, `${program}-restore`, [], restoreInput(table))
      const [, ...options] = listingCommand(table).split(' ')
      const theirs = await runIn(space, program, options)
      expect(`${tableText(table)}\n`).toBe(named(theirs))
    },
  )
})
