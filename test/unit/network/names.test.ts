import { describe, expect, it } from 'vitest'
import { Claims, refusal } from '../../../src/network/plan/claims.js'
import { automaticName } from '../../../src/network/plan/names.js'
import { network, registryWith } from './fixtures.js'

describe('automatic names', () => {
  it('are an adjective and a surname, unique among many', () => {
    const taken = new Set<string>()
    for (let count = 0; count < 10_000; count += 1) {
      const name = automaticName((each) => taken.has(each))
      expect(name).toMatch(/^[a-z]+_[a-z]+[0-9]*$/)
      expect(taken.has(name)).toBe(false)
      taken.add(name)
    }
  })

  it('get digits, and more of them, when those without are used up', () => {
    const asked: string[] = []
    const isTaken = (name: string): boolean => {
      asked.push(name)
      return !/[0-9]{2}$/.test(name)
    }
    expect(automaticName(isTaken, (below) => below - 1)).toMatch(/[a-z]99$/)
    expect(asked.map((name) => name.replace(/[^0-9]/g, '').length)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2])
  })

  it('leave names to who asks for them in the same call', () => {
    const reserved = new Set(Array.from({ length: 20_000 }, () => automaticName(() => false)))
    const claims = new Claims(registryWith(network()), reserved)
    const refuse = refusal('test', '')
    const names = Array.from({ length: 200 }, () => claims.name(undefined, refuse))
    expect(new Set(names).size).toBe(200)
    expect(names.filter((name) => reserved.has(name))).toEqual([])
    // Who asked for it gets it.
    const [first = ''] = reserved
    expect(claims.name(first, refuse)).toBe(first)
  })
})
