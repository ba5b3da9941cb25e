import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../scenarios/matrix.js'
import { agrees, type Seen } from '../../../scenarios/probes.js'
import type { Attempt, Party } from '../../../scenarios/universe.js'

const app: Party = {
  name: 'app',
  kind: 'container',
  host: 'host',
  place: 'host',
  addresses: [
    { address: '172.18.0.3', family: 4, at: 'front' },
    { address: '172.19.0.3', family: 4, at: 'back' },
  ],
}
const host: Party = {
  name: 'host',
  kind: 'host',
  host: 'host',
  place: 'host',
  addresses: [
    { address: '203.0.113.1', family: 4, at: 'uplink' },
    { address: '172.18.0.1', family: 4, at: 'front', isGateway: true },
  ],
}
const attempt: Attempt = {
  from: app,
  target: { machine: 'web', at: 'front', container: true, address: '172.18.0.2' },
  family: 4,
  port: '80/tcp',
}

function judge(outcome: Outcome, seen: Seen): boolean {
  return agrees(outcome, seen, attempt, [app, host])
}
const reached = (server?: string, as?: string): Outcome => ({ kind: 'reached', server, as })
const seenAs = (source: string, server = 'web'): Seen => ({ kind: 'reached', server, source })

describe('what was seen', () => {
  it.each<[string, Outcome, Seen, boolean]>([
    ['reached under an own address', reached(), seenAs('172.18.0.3'), true],
    ['reached under any own address', reached(), seenAs('172.19.0.3'), true],
    ['not under that of somebody else', reached(), seenAs('203.0.113.1'), false],
    ['on the network that is said', reached(undefined, 'app@front'), seenAs('172.18.0.3'), true],
    ['not on another', reached(undefined, 'app@front'), seenAs('172.19.0.3'), false],
    ['as the host', reached(undefined, 'host'), seenAs('203.0.113.1'), true],
    ['which is not its bridge', reached(undefined, 'host'), seenAs('172.18.0.1'), false],
    ['unless that is said', reached(undefined, 'host@front'), seenAs('172.18.0.1'), true],
    ['as a literal address', reached(undefined, '9.9.9.9'), seenAs('9.9.9.9'), true],
    ['not by another server', reached(), seenAs('172.18.0.3', 'spy'), false],
    ['but by the one that is said', reached('spy'), seenAs('172.18.0.3', 'spy'), true],
    ['silence', { kind: 'blocked' }, { kind: 'blocked' }, true],
    ['a refusal is no silence', { kind: 'blocked' }, { kind: 'refused' }, false],
    ['nor is something unreachable', { kind: 'blocked' }, { kind: 'unreachable', error: 'EPERM' }, false],
    ['reached is no silence', { kind: 'blocked' }, seenAs('172.18.0.3'), false],
    ['silence is not reached', reached(), { kind: 'blocked', server: 'web', source: '172.18.0.3' }, false],
  ])('%s', (_, outcome, seen, agreed) => {
    expect(judge(outcome, seen)).toBe(agreed)
  })
})
