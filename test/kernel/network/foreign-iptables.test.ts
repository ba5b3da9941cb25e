import { describe, expect, it } from 'vitest'
import { runIn } from '../../support/tools.js'
import { createSetting, type Setting } from './setting.js'

const OUTSIDE = '203.0.113.2'

const iptables = ({ host }: Setting, ...words: string[]): Promise<string> =>
  runIn(host.namespace, 'iptables', words)

/** A container, and somebody outside who serves 80. */
async function createTown(): Promise<Setting> {
  const setting = await createSetting(['web'])
  await setting.attach('web', { publish: ['8080:80'] })
  await setting.outside.serveTcp(80)
  await setting.machine('web').serveTcp(80)
  return setting
}

async function isReached({ machine }: Setting, expected: boolean): Promise<boolean> {
  const probe = await machine('web').probeTcp(OUTSIDE, 80, { timeoutMs: expected ? 5000 : 700 })
  return probe.outcome === 'reached'
}

const foreign = async ({ bridgeHost }: Setting): Promise<string[]> =>
  (await bridgeHost.check())
    .filter(({ code }) => code.startsWith('foreign-'))
    .map(({ code, subject }) => `${code}: ${subject}`)

describe('base chains of iptables-nft, which count what meets their policy', () => {
  it.each([
    ['DROP', false],
    ['ACCEPT', true],
  ])('policy %s: packets, explain and check agree', async (policy, passes) => {
    const setting = await createTown()
    await iptables(setting, '-P', 'FORWARD', policy)
    expect(await isReached(setting, passes)).toBe(passes)
    const explanation = await setting.bridgeHost.explain({ from: 'web', to: OUTSIDE, port: 80 })
    expect(explanation.reached).toBe(passes)
    expect(await foreign(setting)).toEqual(passes ? [] : ['foreign-chain-drops: ip filter FORWARD'])
    if (!passes) expect(explanation.decisive).toMatchObject({ kind: 'foreign-chain' })
  })
})

interface Case {
  readonly rules: readonly string[]
  readonly reached: boolean
  /** What explain names of the rule. */
  readonly says?: string
}

/** Rules of FORWARD, as `iptables` takes them; the answer to each is also that of packets. */
const cases: readonly Case[] = [
  { rules: ['-m comment --comment x -j DROP'], reached: false, says: 'xt match "comment" --comment "x"' },
  {
    rules: ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-j DROP'],
    reached: false,
  },
  {
    rules: ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-i docker0 -j ACCEPT', '-j DROP'],
    reached: true,
  },
  { rules: ['-m conntrack --ctstate NEW -j DROP'], reached: false, says: '--ctstate NEW' },
  { rules: ['-m conntrack ! --ctstate NEW -j DROP'], reached: false },
  { rules: ['-m conntrack ! --ctstate NEW,ESTABLISHED -j DROP'], reached: true },
  { rules: ['-m state --state INVALID -j DROP'], reached: true },
  { rules: ['-m conntrack --ctstate DNAT -j DROP'], reached: true },
  { rules: ['-m conntrack ! --ctstate INVALID,DNAT -j DROP'], reached: false },
  { rules: [`-m conntrack --ctorigdst ${OUTSIDE} --ctdir ORIGINAL -j DROP`], reached: false },
  { rules: ['-m conntrack ! --ctorigdst 203.0.113.0/24 -j DROP'], reached: true },
  { rules: ['-p tcp -m conntrack --ctorigdstport 80:90 -j DROP'], reached: false },
  { rules: ['-p tcp -m conntrack --ctstatus SEEN_REPLY -j DROP'], reached: false },
  { rules: ['-m addrtype --dst-type LOCAL -j DROP'], reached: true },
  { rules: ['-m addrtype --dst-type UNICAST,LOCAL -j DROP'], reached: false },
  { rules: ['-m addrtype ! --src-type LOCAL -j DROP'], reached: false },
  { rules: ['-p tcp -m multiport --dports 22,80:90 -j DROP'], reached: false },
  { rules: ['-p tcp -m multiport ! --dports 22,80:90 -j DROP'], reached: false },
  { rules: ['-p tcp -m multiport --dports 22,443 -j DROP'], reached: true },
  { rules: ['-p tcp --dport 80 -j DROP'], reached: false },
  { rules: ['-p tcp ! --dport 80:90 --sport 1024: -j DROP'], reached: true },
  { rules: ['-p tcp --tcp-flags SYN,ACK SYN -j DROP'], reached: false },
  { rules: ['-p udp -j DROP'], reached: true },
  { rules: ['-p icmp --icmp-type 8 -j DROP'], reached: true },
  { rules: ['-m iprange --dst-range 203.0.113.1-203.0.113.9 -j DROP'], reached: false },
  { rules: ['-m iprange ! --dst-range 203.0.113.1-203.0.113.9 -o uplink -j DROP'], reached: true },
  { rules: ['-m mark ! --mark 0x1/0xff -j DROP'], reached: false },
  { rules: ['-m mark --mark 0x1/0xff -j DROP'], reached: true },
  { rules: ['-j MARK --set-xmark 0x11/0xff', '-m mark --mark 0x10/0xf0 -j DROP'], reached: false },
  { rules: ['-j CONNMARK --set-mark 5', '-m connmark --mark 5 -j DROP'], reached: false },
  { rules: ['-m limit --limit 100/s --limit-burst 100 -j ACCEPT', '-j DROP'], reached: true },
  { rules: ['-j REJECT --reject-with tcp-reset -p tcp'], reached: false, says: '--reject-with tcp-reset' },
  { rules: ['-j REJECT --reject-with icmp-admin-prohibited'], reached: false },
  {
    rules: ['-j LOG --log-prefix "a b"', '-j TCPMSS --clamp-mss-to-pmtu -p tcp --tcp-flags SYN,RST SYN'],
    reached: true,
  },
]

describe('rules of iptables with matches and targets of xtables', () => {
  it.each(cases.map((each) => ({ ...each, text: each.rules.join('; ') })))(
    '$text',
    async ({ rules, reached, says }) => {
      const setting = await createTown()
      const lines = rules.map((rule) => `-A FORWARD ${rule}`)
      await runIn(setting.host.namespace, 'iptables-restore', [], `*filter\n${lines.join('\n')}\nCOMMIT\n`)
      expect(await isReached(setting, reached)).toBe(reached)
      const explanation = await setting.bridgeHost.explain({ from: 'web', to: OUTSIDE, port: 80 })
      expect(explanation.reached, explanation.because).toBe(reached)
      if (says !== undefined) expect(explanation.because).toContain(says)
      if (!reached) expect(explanation.decisive.kind).toBe('foreign-chain')
    },
  )
})

const REMARK = 'xt match "string"'

describe('rules of iptables that are not understood', () => {
  it.each([
    ['a match, before a drop', '-m string --string zzz --algo bm -j DROP', REMARK],
    ['a match, before an accept', '-m string --string zzz --algo bm -j ACCEPT', REMARK],
    ['a target', '-p tcp -j NFQUEUE --queue-num 7 --queue-bypass', 'xt target "NFQUEUE"'],
    ['one of two fields', '-p tcp -m multiport --ports 22,80 -j DROP', '--ports 22,80'],
    ['one of a state and a status', '-m conntrack --ctstate NEW,DNAT -j DROP', '--ctstate NEW,DNAT'],
  ])('%s: explain says unknown, check names the rule, and the remedy mends it', async (_, rule, text) => {
    const setting = await createTown()
    const { bridgeHost, host } = setting
    // What does not go through it is dropped: of two answers one stops the packet.
    const end = rule.endsWith('ACCEPT') ? '-A FORWARD -j DROP\n' : ''
    await runIn(host.namespace, 'iptables-restore', [], `*filter\n-A FORWARD ${rule}\n${end}COMMIT\n`)
    const explanation = await bridgeHost.explain({ from: 'web', to: OUTSIDE, port: 80 })
    expect(explanation.reached).toBe('unknown')
    expect(explanation.because).toContain(text)
    expect(explanation.because).toContain('chain FORWARD of table ip filter')
    const findings = (await bridgeHost.check()).filter(({ code }) => code === 'foreign-rule-unknown')
    expect(findings).toHaveLength(1)
    const [finding] = findings
    expect(finding?.subject).toBe('ip filter FORWARD')
    expect(finding?.message).toContain(text)
    for (const [, command = ''] of finding?.remedy.matchAll(/`([^`]+)`/g) ?? [])
      await runIn(host.namespace, 'sh', ['-c', command])
    expect(await foreign(setting)).toEqual([])
    expect((await bridgeHost.explain({ from: 'web', to: OUTSIDE, port: 80 })).reached).toBe(true)
    expect(await isReached(setting, true)).toBe(true)
  })

  it.each([
    ['they decide nothing', '-m recent --set --name seen'],
    ['what they decide is decided anyway', '-m string --string zzz --algo bm -j ACCEPT'],
    ['they are about other interfaces', '-i eth9 -m string --string zzz --algo bm -j DROP'],
  ])('are no finding where %s', async (_, rule) => {
    const setting = await createTown()
    await iptables(setting, '-A', 'FORWARD', ...rule.split(' '))
    expect(await foreign(setting)).toEqual([])
    expect((await setting.bridgeHost.explain({ from: 'web', to: OUTSIDE, port: 80 })).reached).toBe(true)
    expect(await isReached(setting, true)).toBe(true)
  })
})

describe('translation by targets of xtables', () => {
  it.each([
    [
      'DNAT',
      '-A PREROUTING -p tcp --dport 9090 -j DNAT --to-destination 203.0.113.2:80',
      '203.0.113.1',
      9090,
    ],
    ['REDIRECT', '-A PREROUTING -p tcp --dport 80 -d 203.0.113.2 -j REDIRECT --to-ports 81', OUTSIDE, 80],
    ['SNAT', '-A POSTROUTING -o uplink -p tcp -j SNAT --to-source 203.0.113.1:7000-7100', OUTSIDE, 80],
    ['MASQUERADE', '-A POSTROUTING -o uplink -p tcp -j MASQUERADE --to-ports 7000-7100', OUTSIDE, 80],
  ])('%s: explain says where packets get', async (_, rule, to, port) => {
    const setting = await createTown()
    const { bridgeHost, host, machine } = setting
    await host.serveTcp(81)
    await runIn(host.namespace, 'iptables-restore', [], `*nat\n${rule}\nCOMMIT\n`)
    const probe = await machine('web').probeTcp(to, port)
    const explanation = await bridgeHost.explain({ from: 'web', to, port })
    expect(probe.outcome).toBe('reached')
    expect(explanation.reached, explanation.because).toBe(true)
    if (probe.outcome !== 'reached') return
    expect(explanation.seen).toBe(probe.seen)
    const target = explanation.target?.namespace ?? 'outside'
    expect(target.replace('the ', '')).toBe(probe.server)
  })
})
