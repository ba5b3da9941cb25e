import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IPAddress, parseAddress } from '../../../src/address/index.js'
import { HostPorts } from '../../../src/network/plan/host-ports.js'
import type { PublishedPort } from '../../../src/network/plan/records.js'

const ADDRESSES: readonly (IPAddress | undefined)[] = [
  undefined,
  ...['0.0.0.0', '127.0.0.1', '127.0.1.3', '::', '::1'].map((text) => parseAddress(text)),
]

const publication: fc.Arbitrary<PublishedPort> = fc
  .record({
    hostAddress: fc.constantFrom(...ADDRESSES),
    first: fc.integer({ min: 50, max: 400 }),
    length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 })),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  })
  .map(({ hostAddress, first, length, protocol }) => {
    const hostPorts = { first, last: first + length }
    return { hostAddress, hostPorts, containerPorts: hostPorts, protocol }
  })

/** What collides, port by port: the definition. */
function collide(one: PublishedPort, other: PublishedPort): boolean {
  if (one.protocol !== other.protocol) return false
  const [a, b] = [one.hostAddress, other.hostAddress]
  if (a !== undefined && b !== undefined && !a.equals(b)) {
    if (a.family !== b.family || ![a, b].some((each) => BigInt(each.value) === 0n)) return false
  }
  for (let port = one.hostPorts.first; port <= one.hostPorts.last; port += 1) {
    if (port >= other.hostPorts.first && port <= other.hostPorts.last) return true
  }
  return false
}

describe('ports of the host', () => {
  it('have the holders that a search port by port finds, whatever was taken and given back', () => {
    fc.assert(
      fc.property(
        fc.array(publication, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (ports, steps) => {
          const index = new HostPorts()
          const standing = new Map<string, PublishedPort>()
          for (const step of steps) {
            const holder = `c${step % ports.length}`
            const port = ports[step % ports.length]
            if (!port) return
            const rivals = [...standing].filter(([, each]) => collide(each, port)).map(([name]) => name)
            const found = index.holderOf(port)
            if (rivals.length === 0) expect(found).toBeUndefined()
            else expect(rivals).toContain(found)
            if (standing.delete(holder)) index.mark('release', holder, port)
            else if (rivals.length === 0) {
              standing.set(holder, port)
              index.mark('take', holder, port)
            }
          }
        },
      ),
    )
  })
})
