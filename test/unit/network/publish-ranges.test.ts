import { describe, expect, it } from 'vitest'
import type { NetworkOptions, PublishOption } from '../../../src/network/options.js'
import { parseLink } from '../../../src/network/plan/container-settings.js'
import { planDetach } from '../../../src/network/plan/detach.js'
import { elementText, planElements } from '../../../src/network/plan/elements.js'
import type { PortFacts } from '../../../src/network/plan/host-ports.js'
import { planLink } from '../../../src/network/plan/link.js'
import { planPublish, planUnpublish } from '../../../src/network/plan/publish.js'
import { parsePublished } from '../../../src/network/plan/publish-settings.js'
import { publishedText } from '../../../src/network/plan/records.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { withChange } from '../../../src/network/plan/view.js'
import {
  attach,
  carryOut,
  elementTexts,
  freePorts,
  known,
  network,
  registryWith,
  thrown,
} from './fixtures.js'

function withContainers(...names: string[]): Registry {
  const docker0 = network({ pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] })
  const registry = registryWith(docker0)
  attach(registry, docker0, ...names.map((name) => ({ name })))
  return registry
}

function publish(
  registry: Registry,
  name: string,
  ports: readonly PublishOption[],
  facts: PortFacts = freePorts(),
): string[] {
  const plan = planPublish(registry, known(registry, name), parsePublished(ports, 'ports'), true, facts)
  carryOut(registry, plan)
  return plan.published.map(publishedText)
}

function unpublish(registry: Registry, name: string, ...ports: PublishOption[]): void {
  carryOut(registry, planUnpublish(registry, known(registry, name), parsePublished(ports, 'ports')))
}

describe('publications', () => {
  it.each<[PublishOption, string]>([
    ['8080:80', '8080:80/tcp'],
    ['8080:80/TCP', '8080:80/tcp'],
    ['0.0.0.0:8080:80', '0.0.0.0:8080:80/tcp'],
    ['127.0.0.1:8080:80/udp', '127.0.0.1:8080:80/udp'],
    ['[2001:db8::1]:8080:80/sctp', '[2001:db8::1]:8080:80/sctp'],
    ['[::]:8080:80', '[::]:8080:80/tcp'],
    ['8000-8009:80-89/udp', '8000-8009:80-89/udp'],
    ['8000-8009:80', '8000:80/tcp'],
    ['127.0.0.1:8000-8009:80/udp', '127.0.0.1:8000:80/udp'],
    ['0.0.0.0::80', '0.0.0.0:49153:80/tcp'],
    [{ containerPort: 80 }, '49153:80/tcp'],
    [{ hostPort: '8000-8009', containerPort: 80 }, '8000:80/tcp'],
    ['80', '49153:80/tcp'],
    ['80/udp', '49153:80/udp'],
    ['80-89', '49153-49162:80-89/tcp'],
    ['::80', '49153:80/tcp'],
    ['127.0.0.1::80', '127.0.0.1:49153:80/tcp'],
    ['[2001:db8::1]::80-81', '[2001:db8::1]:49153-49154:80-81/tcp'],
    [{ hostPort: 0, containerPort: 80 }, '49153:80/tcp'],
    [{ hostPort: '1-3', containerPort: '4-6', protocol: 'udp' }, '1-3:4-6/udp'],
  ])('are read as Docker writes them, and stand as one: %j', (option, text) => {
    const registry = withContainers('web')
    expect(publish(registry, 'web', [option])).toEqual([text])
    unpublish(registry, 'web', option)
    expect(known(registry, 'web').published).toEqual([])
  })

  it.each([
    '224.0.0.1:8080:80',
    '[::ffff:192.0.2.1]:8080:80',
    '255.255.255.255:8080:80',
    '0.0.0.1:8080:80',
    '[ff02::1]:8080:80',
    '[fe80::1]:8080:80',
  ])('are refused on an address that no host has for itself: %s', (option) => {
    const error = thrown(() => publish(withContainers('web'), 'web', [option]))
    expect(error).toMatchObject({ code: 'NFB_INVALID_ADDRESS', path: 'ports[0]' })
  })

  it.each<[PublishOption, string]>([
    ['', 'NFB_INVALID_PORT'],
    ['0', 'NFB_INVALID_PORT'],
    ['80-79', 'NFB_INVALID_PORT'],
    ['65536', 'NFB_INVALID_PORT'],
    ['80/icmp', 'NFB_INVALID_PORT'],
    ['127.0.0.300::80', 'NFB_INVALID_ADDRESS'],
    ['1-3:1-2', 'NFB_INVALID_PORT'],
  ])('refuse %j', (option, code) => {
    expect(thrown(() => publish(withContainers('web'), 'web', [option]))).toMatchObject({
      code,
      path: 'ports[0]',
    })
  })

  it.each([
    ['8080:80', '8080:81', true],
    ['8080:80', '8080:80/udp', false],
    ['8080:80', '127.0.0.1:8080:80', true],
    ['127.0.0.1:8080:80', '8080:80', true],
    ['8080:80', '[2001:db8::1]:8080:80', true],
    ['[2001:db8::1]:8080:80', '8080:80', true],
    ['[2001:db8::1]:8080:80', '0.0.0.0:8080:80', false],
    ['0.0.0.0:8080:80', '[::]:8080:80', false],
    ['0.0.0.0:8080:80', '8080:80', true],
    ['[::]:8080:80', '8080:80', true],
    ['0.0.0.0:8080:80', '0.0.0.0:8080:81', true],
    ['0.0.0.0:8080:80', '127.0.0.1:8080:80', true],
    ['[::]:8080:80', '127.0.0.1:8080:80', false],
    ['[::]:8080:80', '[2001:db8::1]:8080:80', true],
    ['127.0.0.1:8080:80', '[2001:db8::1]:8080:80', false],
    ['127.0.0.2:8080:80', '127.0.1.3:8080:80', false],
    ['127.0.0.2:8080:80', '127.0.0.2:8080:81', true],
    ['8000-8100:1-101', '8050:80', true],
    ['8050:80', '8000-8100:1-101', true],
    ['8000-8100:1-101', '127.0.0.1:8100-8200:1-101', true],
    ['8000-8100:1-101', '8101-8200:1-100', false],
    ['8000-8100:1-101', '7000-7999:1-1000', false],
    ['1-65535:1-65535', '[2001:db8::1]:65535:1', true],
    ['127.0.0.1:8000-8100:1-101', '127.0.0.2:8000-8100:1-101', false],
  ])('%s and %s collide: %s', (one, other, collide) => {
    for (const holder of ['web', 'app']) {
      const registry = withContainers('web', 'app')
      publish(registry, 'web', [one])
      if (!collide) {
        publish(registry, holder, [other])
        continue
      }
      const who =
        holder === 'web' ? 'this container itself' : `"web" (${known(registry, 'web').id.slice(0, 12)})`
      expect(thrown(() => publish(registry, holder, [other]))).toMatchObject({
        code: 'NFB_PORT_TAKEN',
        path: 'ports[0]',
        reason: expect.stringMatching(new RegExp(`is published by ${who.replace(/[()]/g, '\\$&')}$`)),
      })
      unpublish(registry, 'web', one)
      publish(registry, holder, [other])
    }
  })

  it('of a range, the first that is free is taken, and taken back by the range', () => {
    const registry = withContainers('web', 'app')
    const ranged = '8000-8003:80'
    expect(publish(registry, 'web', [ranged])).toEqual(['8000:80/tcp'])
    publish(registry, 'app', ['127.0.0.1:8001:1'])
    expect(publish(registry, 'app', [ranged], freePorts('tcp/8002'))).toEqual(['8003:80/tcp'])
    expect(thrown(() => publish(registry, 'app', ['8000-8003:81'], freePorts('tcp/8002')))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      path: 'ports[0]',
      reason: expect.stringContaining('of the ports 8000 to 8003 none is free'),
    })
    // One that the call itself asks for is left to it, and another protocol's is another port.
    const asked = ['8010-8012:80', '8010:81', '8010-8012:80/udp']
    expect(publish(registry, 'app', asked)).toEqual(['8011:80/tcp', '8010:81/tcp', '8010:80/udp'])
    for (const other of ['8000-8002:80', '8000-8003:80/udp', '80']) {
      expect(thrown(() => unpublish(registry, 'web', other))).toMatchObject({ code: 'NFB_NOT_FOUND' })
    }
    unpublish(registry, 'web', ranged)
    expect(known(registry, 'web').published).toEqual([])
  })

  it('of 0.0.0.0 and of :: are of one family each, and what stands is named where it is not what was asked for', () => {
    const registry = withContainers('web', 'app')
    publish(registry, 'web', ['0.0.0.0:8080:80', '0.0.0.0:90-91:90-91'])
    publish(registry, 'app', ['[::]:8080:80', '[::]:90-91:90-91'])
    expect(elementTexts(registry).filter((text) => text.startsWith('publish_'))).toEqual([
      'publish_any tcp . 8080 : 172.17.0.2 . 80',
      'publish_ranges 0.0.0.0/0 . tcp . 90-91 : 172.17.0.2',
      expect.stringMatching(/^publish_any6 tcp \. 8080 : fd00:17::3 \. 80$/),
      expect.stringMatching(/^publish_ranges6 ::\/0 \. tcp \. 90-91 : fd00:17::3$/),
    ])
    expect(thrown(() => unpublish(registry, 'web', '8080:80'))).toMatchObject({
      reason: expect.stringContaining('what it has: 0.0.0.0:8080:80/tcp, 0.0.0.0:90-91:90-91/tcp'),
    })
  })

  it('name who has it in the same call', () => {
    const registry = withContainers()
    const docker0 = registry.network('docker0') ?? network()
    expect(
      thrown(() => attach(registry, docker0, { name: 'a', publish: ['1:1'] }, { publish: ['1:2'] })),
    ).toMatchObject({ reason: expect.stringMatching(/published by "a" \(.*\), of the same call/) })
  })

  it('are free when the container is gone', () => {
    const registry = withContainers('web', 'app')
    publish(registry, 'web', ['8000-8100:1-101', '127.0.0.1:53:53/udp'])
    carryOut(registry, planDetach(registry, [known(registry, 'web')]))
    publish(registry, 'app', ['8000-8100:1-101', '53:53/udp'])
  })

  it('a range is one element in each family, the ports behind it are open to the clients of a link', () => {
    const registry = withContainers('web', 'app')
    carryOut(registry, planLink(registry, known(registry, 'app'), parseLink('web:db', 'link')))
    const before = elementTexts(registry)
    const requested = parsePublished(['8000-8001:8000-8001'], 'ports')
    const plan = planPublish(registry, known(registry, 'web'), requested, true, freePorts())
    const change = planElements(registry, withChange(registry, plan.change), plan.touched)
    expect(change.add.map(elementText).filter((text) => text.startsWith('links '))).toEqual([
      'links 172.17.0.3 . 172.17.0.2 . tcp . 8000',
      'links 172.17.0.3 . 172.17.0.2 . tcp . 8001',
    ])
    expect(change.add.map(elementText).filter((text) => /^publish(_ranges)6? /.test(text))).toHaveLength(2)
    carryOut(registry, plan)
    unpublish(registry, 'web', '8000-8001:8000-8001')
    expect(elementTexts(registry)).toEqual(before)
  })

  it('need rules, and a network that takes them', () => {
    const refused = (options: Partial<NetworkOptions>, port: string, firewall = true): unknown => {
      const docker0 = network(options)
      const registry = registryWith(docker0)
      attach(registry, docker0, { name: 'web' })
      return thrown(() => {
        planPublish(registry, known(registry, 'web'), parsePublished([port], 'ports'), firewall, freePorts())
        throw new Error('planned')
      })
    }
    const conflict = { code: 'NFB_SETTING_CONFLICT', path: 'ports[0]' }
    const planned = { message: 'planned' }
    expect(refused({}, '80:80', false)).toMatchObject(conflict)
    expect(refused({ internal: true }, '80:80')).toMatchObject(conflict)
    expect(refused({ gatewayMode: 'isolated' }, '80:80')).toMatchObject(conflict)
    const dual = { pools: [{ subnet: '10.0.0.0/24' }, { subnet: 'fd00::/64' }] }
    expect(refused(dual, '[::1]:80:80')).toMatchObject({
      ...conflict,
      reason: expect.stringContaining('::1'),
    })
    expect(refused({}, '[2001:db8::1]:80:80')).toMatchObject(conflict)
    expect(refused({}, '80:80')).toMatchObject(planned)
    expect(refused({ gatewayMode: 'routed' }, '80:80')).toMatchObject(planned)
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    const mixed = { pools, gatewayMode: { ipv4: 'nat', ipv6: 'isolated' } } as const
    expect(refused(mixed, '80:80')).toMatchObject(planned)
    expect(refused(mixed, '[2001:db8::1]:80:80')).toMatchObject(conflict)
  })

  it('what does not stand is not taken back', () => {
    const registry = withContainers('web')
    publish(registry, 'web', ['8000-8009:80-89', '80'])
    for (const port of ['8000:80', '127.0.0.1:8000-8009:80-89', '8000-8009:80-89/udp', '81']) {
      expect(thrown(() => unpublish(registry, 'web', port))).toMatchObject({
        code: 'NFB_NOT_FOUND',
        path: 'ports[0]',
      })
    }
  })
})

describe('automatic host ports', () => {
  it('go on where they ended, past what somebody has', () => {
    const registry = withContainers('web', 'app')
    expect(publish(registry, 'web', ['80', '81'])).toEqual(['49153:80/tcp', '49154:81/tcp'])
    publish(registry, 'app', ['127.0.0.1:49156:1'])
    const taken = freePorts('tcp/49157', 'udp/49158')
    expect(publish(registry, 'web', ['82-83'], taken)).toEqual(['49158-49159:82-83/tcp'])
    // One that was just freed is not the next.
    unpublish(registry, 'web', '82-83')
    expect(publish(registry, 'app', ['84'])).toEqual(['49160:84/tcp'])
  })

  it('leave a port to who asks for it in the same call', () => {
    const registry = withContainers('web')
    expect(publish(registry, 'web', ['80', '49153:81'])).toEqual(['49154:80/tcp', '49153:81/tcp'])
    const docker0 = registry.network('docker0') ?? network()
    const containers = attach(registry, docker0, { publish: ['80'] }, { publish: ['49155:1'] })
    expect(containers.flatMap(({ published }) => published.map(publishedText))).toEqual([
      '49156:80/tcp',
      '49155:1/tcp',
    ])
  })

  it('are of the range that the host says, without those that it reserves, which a range that is given may take', () => {
    const registry = withContainers('web')
    const facts = { ...freePorts(), dynamic: { first: 100, last: 103 }, reserved: [{ first: 99, last: 101 }] }
    expect(publish(registry, 'web', ['1', '2', '100-101:3'], facts)).toEqual([
      '102:1/tcp',
      '103:2/tcp',
      '100:3/tcp',
    ])
    expect(thrown(() => publish(registry, 'web', ['4'], facts))).toMatchObject({ code: 'NFB_PORT_TAKEN' })
    unpublish(registry, 'web', '1')
    expect(publish(registry, 'web', ['4'], facts)).toEqual(['102:4/tcp'])
  })

  it('start again from the first behind the last, and end when none is left', () => {
    const registry = withContainers('web', 'app')
    publish(registry, 'web', ['49160-65535:49160-65535'])
    expect(publish(registry, 'app', ['1'])).toEqual(['49153:1/tcp'])
    expect(thrown(() => publish(registry, 'app', ['1-7']))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      reason: expect.stringContaining('no 7 together are free'),
    })
    expect(publish(registry, 'app', ['1-6'])).toEqual(['49154-49159:1-6/tcp'])
    expect(thrown(() => publish(registry, 'app', ['2']))).toMatchObject({ code: 'NFB_PORT_TAKEN' })
    expect(publish(registry, 'app', ['2/udp'])).toEqual(['49160:2/udp'])
  })
})
