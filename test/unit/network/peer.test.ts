import { describe, expect, it } from 'vitest'
import type { PeerOptions } from '../../../src/network/options.js'
import { findPeer, parsePeer, peerLabel, planPeer } from '../../../src/network/plan/peer.js'
import { hostPolicy } from '../../../src/network/plan/policy.js'
import { withChange } from '../../../src/network/plan/view.js'
import { thrown } from './thrown.js'
import { plan, viewOf } from './view-fixtures.js'

describe('a device that leads nowhere', () => {
  it.each(['lo', 'docker0'])('is refused: %s', (device) => {
    const view = viewOf([plan({ name: 'docker0' })])
    const peer = parsePeer({ subnet: '10.9.0.0/16', device })
    expect(thrown(() => planPeer('add', view, peer))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'device',
    })
  })
})

describe('options of a peer', () => {
  it.each([
    [{ subnet: '172.18.0.0/16', via: '192.0.2.2' }, 'the peer 192.0.2.2'],
    [{ subnet: '172.18.0.0/16', device: 'wg0' }, 'the peer behind wg0'],
    [{ subnet: 'fd00:18::/64', via: 'fe80::2', device: 'eth0' }, 'the peer fe80::2 behind eth0'],
    [{ subnet: '172.18.0.5/32', via: '172.18.0.6' }, 'the peer 172.18.0.6'],
  ])('are taken: %j', (options, label) => {
    const peer = parsePeer(options)
    expect(peerLabel(peer)).toBe(label)
    expect(peer.subnet.toString()).toBe(options.subnet)
  })

  it.each<[object, string, string]>([
    [{ via: '192.0.2.2' }, 'NFB_INVALID_ARGUMENT', 'subnet'],
    [{ subnet: '172.18.0.0/16' }, 'NFB_INVALID_ARGUMENT', 'via'],
    [{ subnet: '172.18.0.0/16', gateway: '192.0.2.2' }, 'NFB_INVALID_ARGUMENT', 'gateway'],
    [{ subnet: '172.18.0.1/16', via: '192.0.2.2' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '0.0.0.0/0', via: '192.0.2.2' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '::/0', via: '2001:db8::1' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '224.0.0.0/8', via: '192.0.2.2' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '172.18.0.0/16', via: 'host2' }, 'NFB_INVALID_ADDRESS', 'via'],
    [{ subnet: '172.18.0.0/16', via: '127.0.0.1' }, 'NFB_INVALID_ADDRESS', 'via'],
    [{ subnet: 'fd00:18::/64', via: '::1' }, 'NFB_INVALID_ADDRESS', 'via'],
    [{ subnet: '172.18.0.0/16', via: '2001:db8::1' }, 'NFB_SETTING_CONFLICT', 'via'],
    [{ subnet: 'fd00:18::/64', via: '192.0.2.2' }, 'NFB_SETTING_CONFLICT', 'via'],
    [{ subnet: '172.18.0.0/16', via: '172.18.0.1' }, 'NFB_SETTING_CONFLICT', 'via'],
    [{ subnet: 'fd00:18::/64', via: 'fe80::2' }, 'NFB_INVALID_ARGUMENT', 'device'],
    [{ subnet: '172.18.0.0/16', device: 'a b' }, 'NFB_INVALID_NAME', 'device'],
    [{ subnet: '172.18.0.0/16', via: 5 }, 'NFB_INVALID_ARGUMENT', 'via'],
  ])('are refused: %j', (options, code, path) => {
    // What a caller without types may pass.
    const given: PeerOptions = JSON.parse(JSON.stringify(options))
    expect(thrown(() => parsePeer(given))).toMatchObject({ code, path })
  })
})

describe('planning peers', () => {
  const network = plan({ name: 'br1', pools: [{ subnet: '172.20.0.0/16' }, { subnet: 'fd00:20::/64' }] })
  const standing = parsePeer({ subnet: '172.18.0.0/16', via: '192.0.2.2' })
  const view = viewOf([network], [standing])

  it('adds one and removes it again, and touches nothing else', () => {
    const added = parsePeer({ subnet: 'fd00:18::/64', via: '2001:db8::2' })
    const { change, touched } = planPeer('add', view, added)
    expect(touched).toEqual({ peers: ['fd00:18::/64'] })
    const after = withChange(view, change)
    expect([...after.peers]).toEqual([standing, added])
    expect(findPeer(after, 'fd00:18:0::/64')).toEqual(added)
    const back = planPeer('remove', after, added)
    expect(back.touched).toEqual(touched)
    expect([...withChange(after, back.change).peers]).toEqual([standing])
  })

  it.each([
    ['172.20.5.0/24', '172.20.0.0/16 of the network "br1"'],
    ['fd00:20::/32', 'fd00:20::/64 of the network "br1"'],
    ['172.18.0.0/16', '172.18.0.0/16 of the peer 192.0.2.2'],
    ['172.16.0.0/14', '172.18.0.0/16 of the peer 192.0.2.2'],
  ])('refuses %s, of which somebody has a part', (subnet, holder) => {
    expect(thrown(() => planPeer('add', view, parsePeer({ subnet, device: 'eth0' })))).toMatchObject({
      code: 'NFB_POOL_OVERLAP',
      path: 'subnet',
      operation: 'BridgeHost.addPeer',
      reason: expect.stringContaining(holder),
    })
  })

  it('finds no peer by a part of its subnet', () => {
    expect(thrown(() => findPeer(view, '172.18.0.0/24'))).toMatchObject({
      code: 'NFB_NOT_FOUND',
      path: 'subnet',
      operation: 'BridgeHost.removePeer',
    })
    expect(thrown(() => findPeer(view, '172.18.0.0'))).toMatchObject({
      code: 'NFB_INVALID_ADDRESS',
      path: 'subnet',
    })
  })
})

describe('the policy of the host', () => {
  it.each([
    ['auto', [], [], false],
    ['auto', [4], [4], false],
    ['auto', [6, 4], [4, 6], false],
    ['drop', [], [4, 6], false],
    ['accept', [4, 6], [], true],
    ['leave', [4, 6], [], false],
  ] as const)('%s, with forwarding turned on by us in %j', (policy, turnedOn, drop, acceptDirect) => {
    expect(hostPolicy(policy, turnedOn, { userRules: true })).toEqual({ drop, acceptDirect, userRules: true })
  })
})
