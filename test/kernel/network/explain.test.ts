import { describe, expect, it } from 'vitest'
import { answerLimit } from '../../../lab/machine.js'
import type { Container, ContainerOptions, ExplainOptions, HostExplanation } from '../../../src/index.js'
import { ip, nftFile } from '../../support/tools.js'
import { createSetting, failureOf, type Setting } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

interface Town extends Setting {
  readonly web: Container
  readonly app: Container
  readonly far: Container
  /** Asks explain, and compares it with a packet. */
  ask(options: ExplainOptions): Promise<HostExplanation>
}

/** `web` and `app` on a closed network, `far` on another; everybody serves 80, 81 and 8080. */
async function createTown(): Promise<Town> {
  const setting = await createSetting(['web', 'app', 'far'], { icc: false })
  const { network, bridgeHost, machine, host, outside } = setting
  // By a descriptor, which is not kept: where no namespace is given, explain takes the inside to be as it was configured.
  const attach = (name: string, options: Omit<ContainerOptions, 'netns'> = {}, to = network) =>
    to.attach({ ...options, name, netns: { fd: machine(name).namespace.fd } })
  const web = await attach('web', { expose: ['80'], publish: ['8080:80', '127.0.0.1:99:80'] })
  const app = await attach('app', { links: ['web'] })
  const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.19.0.0/24' })
  const far = await attach('far', {}, other)
  for (const name of ['web', 'app', 'far']) for (const port of [80, 81]) await machine(name).serveTcp(port)
  for (const port of [80, 81]) await outside.serveTcp(port)
  await host.serveTcp(81)
  const ask = async (options: ExplainOptions): Promise<HostExplanation> => {
    const explanation = await bridgeHost.explain(options)
    // Without the namespaces, and with them: the same answer.
    const running = bridgeHost.containers.filter(({ state }) => state === 'running')
    const namespaces = Object.fromEntries(running.map(({ name }) => [name, machine(name).namespace]))
    const inside = await bridgeHost.explain({ ...options, namespaces })
    expect(inside).toMatchObject({ reached: explanation.reached, because: explanation.because, assumed: [] })
    expect(JSON.parse(JSON.stringify(inside))).toEqual(inside)
    return explanation
  }
  return { ...setting, web, app, far, ask }
}

/** The same connection as a packet. */
async function reachedByPackets(
  { machine, host, outside, bridgeHost }: Town,
  { from, to, port }: ExplainOptions,
  expected: boolean,
) {
  const name = typeof from === 'string' ? from : (bridgeHost.container(from.id)?.name ?? '')
  const sender = name === 'host' ? host : name === OUTSIDE ? outside : machine(name)
  const target = typeof to === 'string' ? to : to.id
  const address = bridgeHost.container(target)?.address ?? (to === 'host' ? HOST : target)
  return (
    (await sender.probeTcp(address, Number(port ?? 0), { timeoutMs: answerLimit(expected) })).outcome ===
    'reached'
  )
}

interface Case {
  readonly what: string
  readonly change?: (town: Town) => Promise<unknown>
  readonly question: (town: Town) => ExplainOptions
  readonly reached: boolean
  readonly because: string | RegExp
  readonly remedy?: string | RegExp
  readonly kind: HostExplanation['decisive']['kind']
}

const cases: readonly Case[] = [
  {
    what: 'a link',
    question: ({ app, web }) => ({ from: app, to: web, port: 80 }),
    reached: true,
    because: "app's link to web opens 80/tcp",
    kind: 'element',
  },
  {
    what: 'no link',
    question: () => ({ from: 'web', to: 'app', port: 80 }),
    reached: false,
    because: 'web has no link to app, and icc of docker0 is false',
    remedy: "web.link('app') opens 80/tcp once app exposes it: app.expose('80/tcp')",
    kind: 'rule',
  },
  {
    what: 'a link that does not open the port',
    question: () => ({ from: 'app', to: 'web', port: 81 }),
    reached: false,
    because: "app's link to web does not open 81/tcp, which web neither exposes nor publishes",
    remedy: "web.expose('81/tcp')",
    kind: 'rule',
  },
  {
    what: 'a link whose element somebody removed',
    change: ({ host }) => nftFile(host.namespace, 'flush set bridge nfbridge links'),
    question: () => ({ from: 'app', to: 'web', port: 80 }),
    reached: false,
    because: /element for app's link to web \(80\/tcp\) is gone/,
    remedy: "app.link('web')",
    kind: 'rule',
  },
  {
    what: 'icc',
    change: ({ network }) => network.update({ icc: true }),
    question: () => ({ from: 'web', to: 'app', port: 81 }),
    reached: true,
    because: 'icc of docker0 is true',
    kind: 'element',
  },
  {
    what: 'a published port, from outside',
    question: () => ({ from: OUTSIDE, to: HOST, port: 8080 }),
    reached: true,
    because: 'web publishes 80/tcp as port 8080/tcp of the host',
    kind: 'element',
  },
  {
    what: "a container's own address, from outside",
    question: ({ web }) => ({ from: OUTSIDE, to: web.address, port: 80 }),
    reached: false,
    because: "the own addresses of docker0's containers are not open to outside (gateway mode nat)",
    remedy: "web.publish('80:80/tcp')",
    kind: 'rule',
  },
  {
    what: 'no publication: the host itself',
    question: () => ({ from: OUTSIDE, to: 'host', port: 81 }),
    reached: true,
    because: 'no container publishes 81/tcp',
    kind: 'policy',
  },
  {
    what: 'another network',
    question: () => ({ from: 'web', to: 'far', port: 80 }),
    reached: false,
    because: "the networks docker0 and other are isolated from each other (isolation: 'default')",
    remedy: 'connect web to other',
    kind: 'element',
  },
  {
    what: 'outward',
    question: () => ({ from: 'web', to: OUTSIDE, port: 80 }),
    reached: true,
    because: 'containers of docker0 reach what is outside',
    kind: 'rule',
  },
  {
    what: 'an internal network',
    change: async ({ bridgeHost, machine }) => {
      const network = await bridgeHost.createNetwork({
        name: 'inner',
        subnet: '172.20.0.0/24',
        internal: true,
      })
      await bridgeHost.container('far')?.connect(network, { netns: machine('far').namespace, priority: 5 })
      await bridgeHost.container('far')?.disconnect('other')
      await ip(machine('far').namespace, 'route', 'add', 'default', 'via', '172.20.0.1')
    },
    question: ({ machine }) => ({
      from: 'far',
      to: OUTSIDE,
      port: 80,
      namespaces: { far: machine('far').namespace },
    }),
    reached: false,
    because: 'the network inner is internal',
    kind: 'rule',
  },
  {
    what: 'a stopped container',
    change: ({ web }) => web.stop(),
    question: () => ({ from: 'app', to: 'web', port: 80 }),
    reached: false,
    because: 'web is stopped',
    remedy: "container('web').start()",
    kind: 'container',
  },
  {
    what: 'a rule of the users',
    change: ({ bridgeHost }) => bridgeHost.userRules.inbound.append([{ drop: null }]),
    question: () => ({ from: OUTSIDE, to: HOST, port: 8080 }),
    reached: false,
    because: 'the user rule "drop" (host.userRules.inbound) stops it',
    remedy: 'delete that rule',
    kind: 'user-rule',
  },
  {
    what: 'a rule of the users that accepts',
    change: ({ bridgeHost }) => bridgeHost.userRules.forward.append([{ accept: null }]),
    question: () => ({ from: 'web', to: 'far', port: 80 }),
    reached: true,
    because: 'the user rule "accept" (host.userRules.forward) accepts it',
    kind: 'user-rule',
  },
  {
    what: 'a chain of somebody else',
    change: ({ host }) =>
      nftFile(
        host.namespace,
        'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }',
      ),
    question: () => ({ from: 'app', to: 'web', port: 80 }),
    reached: false,
    because: "another program's rules stop it: the policy drop of chain FORWARD of table ip filter",
    kind: 'foreign-chain',
  },
  {
    what: 'forwarding off',
    change: ({ host }) => host.namespace.writeSysctl('net/ipv4/ip_forward', '0'),
    question: () => ({ from: 'web', to: OUTSIDE, port: 80 }),
    reached: false,
    because: 'the host does not forward: net/ipv4/ip_forward is 0',
    remedy: 'ipForward: true',
    kind: 'sysctl',
  },
  {
    what: 'no route',
    change: ({ host }) => ip(host.namespace, 'route', 'delete', 'default'),
    question: () => ({ from: 'web', to: '8.8.8.8', port: 80 }),
    reached: false,
    because: 'the host has no way to 8.8.8.8',
    kind: 'route',
  },
  {
    what: 'an interface that is down',
    change: ({ host, web }) => ip(host.namespace, 'link', 'set', web.hostInterface, 'down'),
    question: () => ({ from: 'app', to: 'web', port: 80 }),
    reached: false,
    because: /is down|no carrier/,
    kind: 'link',
  },
  {
    what: 'an address that nobody has',
    question: () => ({ from: 'app', to: '172.17.0.77', port: 80 }),
    reached: false,
    because: 'nobody on docker0 has the address 172.17.0.77',
    kind: 'address',
  },
  {
    what: 'a loopback publication, from the host',
    question: () => ({ from: 'host', to: '127.0.0.1', port: 99 }),
    reached: true,
    because: 'web publishes 80/tcp as port 99/tcp of the host',
    kind: 'element',
  },
]

describe('host.explain', () => {
  it.each(cases)('$what', async ({ change, question, reached, because, remedy, kind }) => {
    const town = await createTown()
    await change?.(town)
    const asked = question(town)
    const explanation = asked.namespaces ? await town.bridgeHost.explain(asked) : await town.ask(asked)
    expect(explanation.because).toMatch(typeof because === 'string' ? escaped(because) : because)
    expect(explanation).toMatchObject({ reached, decisive: { kind } })
    if (reached) expect(explanation.remedy).toBeUndefined()
    else
      expect(explanation.remedy).toMatch(
        remedy === undefined ? /./ : typeof remedy === 'string' ? escaped(remedy) : remedy,
      )
    expect(await reachedByPackets(town, asked, reached)).toBe(reached)
  })

  it('says of the sender check who sends from what', async () => {
    const town = await createTown()
    const { namespace } = town.machine('app')
    await ip(namespace, 'address', 'add', '172.17.0.99/16', 'dev', 'eth0')
    await ip(namespace, 'route', 'add', '172.17.0.2/32', 'dev', 'eth0', 'src', '172.17.0.99')
    const explanation = await town.bridgeHost.explain({
      from: 'app',
      to: 'web',
      port: 80,
      namespaces: { app: namespace },
    })
    expect(explanation.because).toMatch(/^app sends (ARP )?from 172\.17\.0\.99 .* the sender check drops it$/)
    expect(explanation).toMatchObject({
      reached: false,
      assumed: ['web'],
      decisive: { table: 'bridge nfbridge' },
    })
    expect(await reachedByPackets(town, { from: 'app', to: 'web', port: 80 }, false)).toBe(false)
  })

  it('asks by IPv4 where both ends have both families, and by the one that is asked for', async () => {
    const { attach, bridgeHost } = await createSetting(['web', 'app'], { ipv6: true })
    const web = await attach('web')
    const app = await attach('app')
    const question = { from: app, to: web, protocol: 'icmp' } as const
    expect((await bridgeHost.explain(question)).target?.address).toBe(web.address)
    const six = await bridgeHost.explain({ ...question, family: 6 })
    expect(six).toMatchObject({ reached: true, seen: app.ipv6Address, target: { address: web.ipv6Address } })
    const none = await bridgeHost.explain({ from: OUTSIDE, to: web, port: 80, family: 6 })
    expect(none).toMatchObject({ reached: false, because: `${OUTSIDE} has no IPv6 address` })
  })

  it('takes a port as expose has it', async () => {
    const { attach, bridgeHost } = await createSetting(['web', 'app'], { icc: false })
    await attach('web', { expose: ['53/udp'] })
    await attach('app', { links: ['web'] })
    const ask = async (port: number | string): Promise<unknown> =>
      (await bridgeHost.explain({ from: 'app', to: 'web', port })).reached
    expect([await ask('53/udp'), await ask('53/tcp'), await ask('53'), await ask(53)]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })

  it('refuses names that nobody has, and questions without sense', async () => {
    const { attach, bridgeHost } = await createSetting(['web'])
    await attach('web', { hostname: 'www' })
    for (const [options, code, path] of [
      [{ from: 'web', to: 'nobody', port: 80 }, 'NFB_NOT_FOUND', 'to'],
      [{ from: 'www', to: 'web', port: 80 }, 'NFB_NOT_FOUND', 'from'],
      [{}, 'NFB_INVALID_ARGUMENT', 'from'],
      [{ from: 'web' }, 'NFB_INVALID_ARGUMENT', 'to'],
      [{ device: 'nope' }, 'NFB_INVALID_ARGUMENT', 'from'],
      [{ from: '203.0.113.2', to: 'web', port: 80, device: 'nope' }, 'NFB_NOT_FOUND', 'device'],
      [{ from: '203.0.113.2', to: 'web', port: 80, device: 'a/b' }, 'NFB_INVALID_NAME', 'device'],
      [{ from: 'web', to: 'host' }, 'NFB_INVALID_ARGUMENT', 'port'],
      [{ from: 'web', to: 'host', port: 0 }, 'NFB_INVALID_PORT', 'port'],
      [{ from: 'web', to: 'host', port: 80, protocol: 'icmp' }, 'NFB_INVALID_ARGUMENT', 'port'],
      [{ from: 'web', to: 'host', port: '80/udp', protocol: 'tcp' }, 'NFB_INVALID_ARGUMENT', 'port'],
      [
        { from: 'web', to: 'host', port: 80, sourcePort: '90/udp', protocol: 'tcp' },
        'NFB_INVALID_ARGUMENT',
        'sourcePort',
      ],
      [{ from: 'web', to: 'host', port: '80-81/tcp' }, 'NFB_INVALID_ARGUMENT', 'port'],
      [{ from: 'web', to: 'host', port: '80/http' }, 'NFB_INVALID_PORT', 'port'],
      [{ from: 'web', to: 'host', port: 80, namespaces: { x: '/none' } }, 'NFB_NOT_FOUND', 'namespaces.x'],
    ] as const) {
      expect(await failureOf(bridgeHost.explain(options as ExplainOptions))).toMatchObject({ code, path })
      const right = { from: 'web', to: 'host', port: 80 }
      const several = bridgeHost.explainAll([right, options as ExplainOptions])
      expect(await failureOf(several)).toMatchObject({
        code,
        operation: 'BridgeHost.explainAll',
        path: `questions[1].${path}`,
      })
    }
  })

  it('answers several questions from one reading as it answers each of them', async () => {
    const { bridgeHost, machine } = await createTown()
    const namespaces = { web: machine('web').namespace }
    const questions: ExplainOptions[] = [
      { from: 'app', to: 'web', port: 80, namespaces },
      { from: 'app', to: 'web', port: 81 },
      { from: 'web', to: 'app', port: 80, namespaces },
      { from: 'far', to: 'web', port: 80 },
      { from: OUTSIDE, to: HOST, port: 8080 },
      { from: 'host', to: 'far', protocol: 'icmp' },
    ]
    const each: HostExplanation[] = []
    for (const question of questions) each.push(await bridgeHost.explain(question))
    const all = await bridgeHost.explainAll(questions)
    expect(all).toEqual(each)
    expect(all.map(({ reached }) => reached)).toEqual([true, false, false, false, true, true])
    expect(all.map(({ assumed }) => assumed)).toEqual(each.map(({ assumed }) => assumed))
    expect(await bridgeHost.explainAll([])).toEqual([])
  })

  it('refuses what is no list of questions', async () => {
    const { bridgeHost } = await createSetting([])
    for (const list of [undefined, null, {}, 'web'])
      expect(await failureOf(bridgeHost.explainAll(list as unknown as ExplainOptions[]))).toMatchObject({
        code: 'NFB_INVALID_ARGUMENT',
        path: 'questions',
      })
  })
})

function escaped(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
}
