import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cidr, type IPAddress, parseAddress } from '../../../src/address/index.js'
import { AddressPool, isHostAddress } from '../../../src/network/plan/address-pool.js'
import { rangeOf } from '../../../src/network/plan/address-range.js'
import type { PoolRecord } from '../../../src/network/plan/records.js'

/** A pool of a subnet; without a gateway, unless one is given. */
function record(
  subnet: string,
  options: { gateway?: string; range?: string; exclude?: string[] } = {},
): PoolRecord {
  return {
    bridge: 'docker0',
    subnet: Cidr.parse(subnet),
    gateway: options.gateway === undefined ? undefined : parseAddress(options.gateway),
    range: rangeOf(Cidr.parse(options.range ?? subnet)),
    exclude: (options.exclude ?? []).map((text) => Cidr.parse(text)),
    names: {},
  }
}

function next(pool: AddressPool): IPAddress | undefined {
  const [address] = pool.free()
  if (address) pool.mark('take', address)
  return address
}

function take(pool: AddressPool, count: number): string[] {
  return Array.from({ length: count }, () => String(next(pool)))
}

function release(pool: AddressPool, ...addresses: string[]): boolean[] {
  return addresses.map((address) => pool.mark('release', parseAddress(address)))
}

function free(pool: AddressPool): string[] {
  return [...pool.free()].map(String)
}

/** What a process that was ended in order leaves to the next. */
function restarted(pool: AddressPool, of: PoolRecord, inUse: string[]): AddressPool {
  return AddressPool.restore(
    of,
    inUse.map((text) => parseAddress(text)),
    JSON.parse(JSON.stringify(pool.memory)),
  )
}

describe('the address pool', () => {
  it.each([
    ['10.0.0.0/29', ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']],
    ['10.0.0.4/31', ['10.0.0.4', '10.0.0.5']],
    ['fd00::8/127', ['fd00::8', 'fd00::9']],
    ['fd00::8/126', ['fd00::9', 'fd00::a', 'fd00::b']],
  ])('hands out what hosts can have of %s, in order, and no more', (subnet, addresses) => {
    expect(take(new AddressPool(record(subnet)), addresses.length + 1)).toEqual([...addresses, 'undefined'])
  })

  it('hands out neither the gateway nor what is excluded, nor what is outside of the range', () => {
    const pool = new AddressPool(
      record('10.0.0.0/24', {
        gateway: '10.0.0.17',
        range: '10.0.0.16/29',
        exclude: ['10.0.0.22/31', '10.0.0.19/32', '10.0.0.20/32'],
      }),
    )
    expect(free(pool)).toEqual(['10.0.0.16', '10.0.0.18', '10.0.0.21'])
    expect(['10.0.0.17', '10.0.0.19', '10.0.0.23'].map((text) => pool.has(parseAddress(text)))).toEqual([
      true,
      true,
      true,
    ])
    expect(pool.has(parseAddress('10.0.0.16'))).toBe(false)
    expect(release(pool, '10.0.0.17')).toEqual([false])
  })

  it('takes an address outside of the range for who asks for it, and hands it out to nobody later', () => {
    const pool = new AddressPool(record('10.0.0.0/24', { range: '10.0.0.16/31' }))
    const asked = parseAddress('10.0.0.200')
    expect(pool.mark('take', asked)).toBe(true)
    expect(pool.mark('take', asked)).toBe(false)
    expect(release(pool, '10.0.0.200', '10.0.0.200')).toEqual([true, false])
    expect(free(pool)).toEqual(['10.0.0.16', '10.0.0.17'])
  })

  it('goes through an IPv6 /64 without laying it out, past an exclusion of half of it, but never ::0', () => {
    const of = record('fd00::/64', { gateway: 'fd00::1', exclude: ['fd00::/65'] })
    const pool = new AddressPool(of)
    expect(take(pool, 2)).toEqual(['fd00::8000:0:0:0', 'fd00::8000:0:0:1'])
    expect(pool.mark('take', parseAddress('fd00::ffff:ffff:ffff:fff0'))).toBe(true)
    const killed = AddressPool.restore(of, [parseAddress('fd00::ffff:ffff:ffff:fff0')])
    expect(take(killed, 15)).toEqual([
      ...Array.from({ length: 15 }, (_, index) => `fd00::ffff:ffff:ffff:fff${(index + 1).toString(16)}`),
    ])
    expect(take(killed, 1)).toEqual(['fd00::8000:0:0:0'])
    expect(take(new AddressPool(record('fd00::/64')), 1)).toEqual(['fd00::1'])
  })

  it('does not use an address that was just freed while others are free, then the one free the longest', () => {
    const pool = new AddressPool(record('10.0.0.0/29'))
    take(pool, 3)
    release(pool, '10.0.0.2', '10.0.0.1')
    expect(take(pool, 3)).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6'])
    release(pool, '10.0.0.3')
    expect(take(pool, 4)).toEqual(['10.0.0.2', '10.0.0.1', '10.0.0.3', 'undefined'])
  })

  it('counts an address that was asked for by name as used when it is freed', () => {
    const pool = new AddressPool(record('10.0.0.0/29'))
    pool.mark('take', parseAddress('10.0.0.2'))
    release(pool, '10.0.0.2')
    expect(free(pool)).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.2'])
  })

  it('uses addresses again before it remembers too many, even where some were never used', () => {
    const pool = new AddressPool(record('fd00::/64'))
    for (let count = 0; count < 65_536; count += 1) {
      const address = next(pool)
      if (address) pool.mark('release', address)
    }
    expect(take(pool, 1)).toEqual(['fd00::1:1'])
    release(pool, 'fd00::1:1')
    expect(take(pool, 2)).toEqual(['fd00::1', 'fd00::1:2'])
  })

  it('takes nothing while it is only asked', () => {
    const pool = new AddressPool(record('10.0.0.0/29'))
    expect([free(pool), free(pool)].map(({ length }) => length)).toEqual([6, 6])
  })

  it('does not know addresses of the other family', () => {
    const pool = new AddressPool(record('0.0.0.0/0'))
    expect(pool.mark('take', parseAddress('::5'))).toBe(false)
    expect(pool.has(parseAddress('::5'))).toBe(false)
    expect(take(pool, 1)).toEqual(['0.0.0.1'])
  })

  it('goes on in the same order after a restart', () => {
    const of = record('10.0.0.0/28', { gateway: '10.0.0.1', exclude: ['10.0.0.6/32'] })
    const pool = new AddressPool(of)
    take(pool, 6)
    release(pool, '10.0.0.4', '10.0.0.2')
    expect(free(restarted(pool, of, ['10.0.0.3', '10.0.0.5', '10.0.0.7', '10.0.0.8']))).toEqual(free(pool))
  })

  it('uses what a restart finds free last: the container is gone, its address was in use until then', () => {
    const of = record('10.0.0.0/29')
    const pool = new AddressPool(of)
    take(pool, 3)
    release(pool, '10.0.0.2')
    expect(free(restarted(pool, of, ['10.0.0.3']))).toEqual([
      '10.0.0.4',
      '10.0.0.5',
      '10.0.0.6',
      '10.0.0.2',
      '10.0.0.1',
    ])
  })

  it('avoids what was used before even without a memory', () => {
    const pool = AddressPool.restore(record('10.0.0.0/29'), [parseAddress('10.0.0.3')])
    expect(free(pool)).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.1', '10.0.0.2'])
  })

  it.each(['10.0.0.0/28', 'fd00::/124'])(
    'of %s never hands out an address twice, and all of them',
    (subnet) => {
      const size = subnet.startsWith('10.') ? 14 : 15
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (moves) => {
          const of = record(subnet)
          const pool = new AddressPool(of)
          const held: string[] = []
          for (const move of moves) {
            const victim = held[move]
            if (victim) {
              held.splice(move, 1)
              expect(release(pool, victim)).toEqual([true])
              continue
            }
            const address = next(pool)
            if (!address) expect(held).toHaveLength(size)
            else {
              expect(held).not.toContain(String(address))
              held.push(String(address))
            }
          }
          const left = free(pool)
          expect(new Set([...left, ...held]).size).toBe(size)
          expect(left).toHaveLength(size - held.length)
          expect(free(restarted(pool, of, held))).toEqual(left)
          expect(
            free(
              AddressPool.restore(
                of,
                held.map((text) => parseAddress(text)),
              ),
            ).sort(),
          ).toEqual(left.sort())
        }),
      )
    },
  )
})

describe('addresses for interfaces', () => {
  it.each([
    ['10.0.0.0/24', '10.0.0.0', false],
    ['10.0.0.0/24', '10.0.0.1', true],
    ['10.0.0.0/24', '10.0.0.255', false],
    ['10.0.0.0/24', '10.0.1.1', false],
    ['10.0.0.0/31', '10.0.0.0', true],
    ['fd00::/64', 'fd00::', false],
    ['fd00::/64', 'fd00::ffff:ffff:ffff:ffff', true],
    ['fd00::/127', 'fd00::', true],
    ['0.0.0.0/0', '::5', false],
  ])('of %s: %s %s', (subnet, address, can) => {
    expect(isHostAddress(Cidr.parse(subnet), parseAddress(address))).toBe(can)
  })
})
