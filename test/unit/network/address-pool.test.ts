import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cidr, type IPv4Address } from '../../../src/address/index.js'
import { AddressPool } from '../../../src/network/plan/address-pool.js'

function next(pool: AddressPool): IPv4Address | undefined {
  const [address] = pool.free()
  if (address) pool.mark('take', address)
  return address
}

describe('the address pool', () => {
  it('hands out addresses in order, without network and broadcast address', () => {
    const pool = new AddressPool(Cidr.parse('10.0.0.0/29'))
    expect(Array.from({ length: 7 }, () => next(pool)?.toString())).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.4',
      '10.0.0.5',
      '10.0.0.6',
      undefined,
    ])
  })

  it('uses both addresses of a /31', () => {
    const pool = new AddressPool(Cidr.parse('10.0.0.4/31'))
    expect([next(pool), next(pool), next(pool)].map(String)).toEqual(['10.0.0.4', '10.0.0.5', 'undefined'])
  })

  it('does not use an address that was just freed while others are free, then the one free the longest', () => {
    const pool = new AddressPool(Cidr.parse('10.0.0.0/29'))
    const [first, second, third] = [next(pool), next(pool), next(pool)]
    for (const address of [second, first]) if (address) pool.mark('release', address)
    expect(String(next(pool))).toBe('10.0.0.4')
    expect([next(pool), next(pool)].map(String)).toEqual(['10.0.0.5', '10.0.0.6'])
    if (third) pool.mark('release', third)
    expect([next(pool), next(pool), next(pool), next(pool)].map(String)).toEqual([
      '10.0.0.2',
      '10.0.0.1',
      '10.0.0.3',
      'undefined',
    ])
  })

  it('takes nothing while it is only asked', () => {
    const pool = new AddressPool(Cidr.parse('10.0.0.0/29'))
    expect([...pool.free()]).toHaveLength(6)
    expect([...pool.free()]).toHaveLength(6)
  })

  it('goes on in the same order after a restart', () => {
    const subnet = Cidr.parse('10.0.0.0/28')
    const pool = new AddressPool(subnet)
    const taken = Array.from({ length: 6 }, () => next(pool)).filter((each) => each !== undefined)
    const freed = taken.filter((_, index) => index % 2 === 0)
    for (const address of freed) pool.mark('release', address)
    const used = taken.filter((address) => !freed.includes(address))
    const restored = AddressPool.restore(subnet, used, pool.memory)
    expect([...restored.free()].map(String)).toEqual([...pool.free()].map(String))
  })

  it('avoids what was used before even without a memory', () => {
    const subnet = Cidr.parse('10.0.0.0/29')
    const pool = AddressPool.restore(
      subnet,
      [Cidr.parseInterface('10.0.0.3/29').address as IPv4Address],
      undefined,
    )
    expect([...pool.free()].map(String)).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.1', '10.0.0.2'])
  })

  it('never hands out an address twice, and all of them, whatever is taken and freed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (moves) => {
        const pool = new AddressPool(Cidr.parse('10.0.0.0/28'))
        const held: IPv4Address[] = []
        for (const move of moves) {
          const victim = held[move]
          if (victim) {
            held.splice(move, 1)
            expect(pool.mark('release', victim)).toBe(true)
            continue
          }
          const address = next(pool)
          if (!address) expect(held).toHaveLength(14)
          else {
            expect(held.map(String)).not.toContain(String(address))
            held.push(address)
          }
        }
        expect([...pool.free()].length + held.length).toBe(14)
      }),
    )
  })
})
