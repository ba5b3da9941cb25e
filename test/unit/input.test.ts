import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { checkObject } from '../../src/input.js'
import { parseEndpointOptions } from '../../src/network/plan/endpoint-settings.js'
import { parseHostOptions, parseNetworkOptions } from '../../src/network/plan/network-settings.js'
import { thrown } from './network/thrown.js'

class Options {}

describe('an object of options', () => {
  it.each<[string, object]>([
    ['a literal', {}],
    ['without a prototype', Object.create(null)],
    ['of another realm', runInNewContext('({})')],
    ['frozen', Object.freeze({})],
  ])('is taken: %s', (_, value) => {
    expect(checkObject(value, [], 'call', 'options')).toBe(value)
  })

  it.each<[string, object, string]>([
    ['a Map', new Map([['a', 'b']]), 'an instance of Map'],
    ['a Set', new Set(['a']), 'an instance of Set'],
    ['a Date', new Date(0), 'an instance of Date'],
    ['a Map of another realm', runInNewContext('new Map()'), 'an instance of Map'],
    ['of a class', new Options(), 'an instance of Options'],
    ['a RegExp', /a/, 'an instance of RegExp'],
    ['a promise', Promise.resolve(), 'an instance of Promise'],
  ])('is none: %s', (_, value, what) => {
    expect(thrown(() => checkObject(value, [], 'call', 'options'))).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'options',
      message: expect.stringContaining(what),
    })
  })

  const host = parseHostOptions({})
  it('of a host is refused where it is one of a class', () => {
    const given: object = new Date(0)
    expect(thrown(() => parseHostOptions(given))).toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
  })

  const ofNetwork = (property: string, value: object) => (): unknown =>
    parseNetworkOptions({ name: 'br0', subnet: '10.0.0.0/24', [property]: value }, host)
  const ofEndpoint = (property: string, value: object) => (): unknown =>
    parseEndpointOptions({ [property]: value }, 'attach', '')
  it.each<[string, (property: string, value: object) => () => unknown]>([
    ['labels', ofNetwork],
    ['gatewayMode', ofNetwork],
    ['masquerade', ofNetwork],
    ['advertise', ofNetwork],
    ['sysctls', ofEndpoint],
    ['bandwidth', ofEndpoint],
  ])('is refused where it is one of a class: %s', (property, parse) => {
    for (const value of [new Map(), new Date(0)])
      expect(thrown(parse(property, value))).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: property })
  })
})
