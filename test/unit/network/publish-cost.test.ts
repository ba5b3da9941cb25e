import { describe, expect, it } from 'vitest'
import { planPublish, planUnpublish } from '../../../src/network/plan/publish.js'
import {
  parsePublished,
  publishedBeside,
  type RequestedPublication,
} from '../../../src/network/plan/publish-settings.js'
import type { PublishedPort } from '../../../src/network/plan/records.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { attach, freePorts, known, network, registryWith } from './fixtures.js'

/** What planning for n ports may look at a port's protocol, for each of them: a few times, however many there are. */
const LOOKS_EACH = 40

function withContainer(): Registry {
  const docker0 = network()
  const registry = registryWith(docker0)
  attach(registry, docker0, { name: 'web' })
  return registry
}

/** The same publication, and how often somebody looked at it is counted. */
function counted(port: PublishedPort, counter: { looks: number }): PublishedPort {
  const { protocol, ...others } = port
  return {
    ...others,
    get protocol() {
      counter.looks += 1
      return protocol
    },
  }
}

function withCounter(
  requests: readonly RequestedPublication[],
  counter: { looks: number },
): RequestedPublication[] {
  return requests.map((request) => ({ ...request, port: counted(request.port, counter) }))
}

function ports(count: number, written: (index: number) => string): RequestedPublication[] {
  return parsePublished(
    Array.from({ length: count }, (_, index) => written(index)),
    'ports',
  )
}

describe.each([500, 2000])('what planning for %i ports costs', (count) => {
  it('is in proportion to them where they are published', () => {
    const counter = { looks: 0 }
    const registry = withContainer()
    const requests = withCounter(
      ports(count, (index) => `${index + 1}:80`),
      counter,
    )
    planPublish(registry, known(registry, 'web'), requests, true, freePorts())
    expect(counter.looks).toBeGreaterThan(count)
    expect(counter.looks).toBeLessThan(count * LOOKS_EACH)
  })

  it('is in proportion to them where each is chosen of one range', () => {
    const counter = { looks: 0 }
    const registry = withContainer()
    const requests = withCounter(
      ports(count, (index) => `10000-19999:${index + 1}`),
      counter,
    )
    const { published } = planPublish(registry, known(registry, 'web'), requests, true, freePorts())
    expect(published.map(({ hostPorts }) => hostPorts.first)).toEqual(
      Array.from({ length: count }, (_, index) => 10_000 + index),
    )
    expect(counter.looks).toBeLessThan(count * LOOKS_EACH)
  })

  it('is in proportion to them where every exposed port is published beside them', () => {
    const counter = { looks: 0 }
    const requests = withCounter(
      ports(count, (index) => `${index + 1}:${index + 1}`),
      counter,
    )
    const exposed = Array.from({ length: count + 1 }, (_, index) => ({
      protocol: 'tcp' as const,
      port: index + 1,
    }))
    const beside = publishedBeside(requests, exposed, 'publishAll')
    expect(beside.map(({ port }) => port.containerPorts.first)).toEqual([count + 1])
    expect(counter.looks).toBeLessThan(count * LOOKS_EACH)
  })

  it('is in proportion to them where they are taken back, the last first', () => {
    const counter = { looks: 0 }
    const registry = withContainer()
    const requests = ports(count, (index) => `${index + 1}:80`)
    const web = { ...known(registry, 'web'), published: requests.map(({ port }) => counted(port, counter)) }
    const { change } = planUnpublish(registry, web, requests.toReversed().slice(1))
    expect(change.containers?.get(web.id)?.published).toEqual([web.published[count - 1]])
    expect(counter.looks).toBeGreaterThan(count)
    expect(counter.looks).toBeLessThan(count * LOOKS_EACH)
  })
})
