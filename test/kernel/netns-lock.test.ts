import { describe, expect, it } from 'vitest'
import { Namespace, withNamespaceLock } from '../../src/netns/index.js'
import { createNamespaces } from '../support/machines.js'

const done = async (): Promise<string> => 'done'

describe('withNamespaceLock', () => {
  it('lets one piece of work after the other run, whoever opened the namespace', async () => {
    const [namespace] = await createNamespaces(1)
    if (!namespace) throw new Error('a namespace')
    using again = Namespace.open(namespace)
    const order: string[] = []
    const work = (name: string) => async () => {
      order.push(`${name} begins`)
      for (let read = 0; read < 20; read += 1) await namespace.readSysctl('net.ipv4.ip_forward')
      order.push(`${name} ends`)
    }
    await Promise.all([
      withNamespaceLock(namespace, work('a')),
      withNamespaceLock(again, work('b')),
      withNamespaceLock(namespace, work('c')),
    ])
    for (let index = 0; index < order.length; index += 2)
      expect(order[index + 1]).toBe(order[index]?.replace('begins', 'ends'))
    expect(order).toHaveLength(6)
  })

  it('fails with NFB_BUSY when it is held too long; another namespace has another lock', async () => {
    const [namespace, other] = await createNamespaces(2)
    if (!namespace || !other) throw new Error('two namespaces')
    await withNamespaceLock(namespace, async () => {
      await expect(withNamespaceLock(namespace, done, 0)).rejects.toMatchObject({ code: 'NFB_BUSY' })
      expect(await withNamespaceLock(other, done, 0)).toBe('done')
    })
  })

  it('is free again when the work fails', async () => {
    const [namespace] = await createNamespaces(1)
    if (!namespace) throw new Error('a namespace')
    const failing = withNamespaceLock(namespace, () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    expect(await withNamespaceLock(namespace, done, 0)).toBe('done')
  })
})
