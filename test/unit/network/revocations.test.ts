import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { Persistence } from '../../../src/network/apply/persistence.js'
import { Revocations } from '../../../src/network/apply/revocations.js'
import { parseLink, parseUnlink } from '../../../src/network/plan/container-settings.js'
import { planUnexpose } from '../../../src/network/plan/expose.js'
import { planLink, planUnlink } from '../../../src/network/plan/link.js'
import type { Plan } from '../../../src/network/plan/plan.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { openStore, type Store } from '../../../src/store/index.js'
import { attach, known, network, registryWith } from './fixtures.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nfbridge-revocations-'))
  const made = directory
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
})

/** The state directory of a process, on a disk that may be full, and what the kernel would remember. */
class Process {
  isFull = false
  readonly marks = new Set<string>()
  readonly registry: Registry
  readonly revocations: Revocations
  readonly persistence: Persistence
  readonly #store: Store

  constructor(registry: Registry) {
    this.registry = registry
    this.#store = openStore(directory)
    const put: Store['put'] = (kind, key, value) => {
      if (this.isFull && value !== undefined)
        throw new NfbridgeError({ code: 'NFB_TOO_LARGE', operation: 'put', message: 'full', errno: 'ENOSPC' })
      this.#store.put(kind, key, value)
    }
    this.persistence = new Persistence({
      put,
      list: (kind) => this.#store.list(kind),
      fileOf: (kind, key) => this.#store.fileOf(kind, key),
      reserve: this.#store.reserve,
      close: () => this.#store.close(),
    })
    this.revocations = new Revocations(this.persistence, registry, {
      read: async () => [...this.marks],
      add: async (facts) => facts.forEach((fact) => void this.marks.add(fact)),
      clear: async () => this.marks.clear(),
    })
  }

  async call({ change }: Plan): Promise<void> {
    await this.revocations.save(change, this.registry)
    this.registry.apply(change)
  }

  link(alias: string): Promise<void> {
    return this.call(planLink(this.registry, known(this.registry, 'app'), parseLink(`web:${alias}`, 'link')))
  }

  unlink(alias: string): Promise<void> {
    return this.call(planUnlink(this.registry, known(this.registry, 'app'), parseUnlink(alias)))
  }

  /** The aliases of the links that the next process finds. */
  async after(): Promise<string[]> {
    this.persistence.close()
    const next = new Process(registryWith())
    const { containers } = await next.revocations.obey(next.persistence.load())
    next.persistence.close()
    return containers.flatMap(({ links }) => links.map(({ alias }) => alias))
  }
}

async function linked(): Promise<Process> {
  const docker0 = network({ icc: false })
  const registry = registryWith(docker0)
  const containers = attach(
    registry,
    docker0,
    { name: 'web', expose: ['80'] },
    { name: 'app', links: ['web:one', 'web:two'] },
  )
  const process = new Process(registry)
  process.persistence.save({
    networks: new Map([['docker0', docker0]]),
    containers: new Map(containers.map((container) => [container.id, container])),
  })
  return process
}

describe('what is revoked on a full disk', () => {
  it('is obeyed by the next process', async () => {
    const process = await linked()
    process.isFull = true
    await process.unlink('one')
    expect(process.revocations.takeTold()).toBeUndefined()
    expect(await process.after()).toEqual(['two'])
  })

  it('is obeyed no more when it was opened again, for which there must be room', async () => {
    const process = await linked()
    process.isFull = true
    await process.unlink('one')
    await expect(process.link('one')).rejects.toMatchObject({ errno: 'ENOSPC' })
    await process.unlink('two')
    process.isFull = false
    await process.link('one')
    expect(process.persistence.journal.facts).toEqual([])
    expect(await process.after()).toEqual(['one'])
  })

  it('is remembered by the kernel where it does not fit, and whoever called is told', async () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const many = Array.from({ length: 60 }, (_, port) => String(1000 + port))
    const names = Array.from({ length: 40 }, (_, index) => ({ name: `c${index}`, expose: many }))
    const containers = attach(registry, docker0, ...names)
    const process = new Process(registry)
    process.persistence.save({
      networks: new Map([['docker0', docker0]]),
      containers: new Map(containers.map((container) => [container.id, container])),
    })
    process.isFull = true
    const size = statSync(join(directory, 'reserve')).size
    let told: NfbridgeError | undefined
    for (const { name } of names) {
      const container = known(registry, name)
      await process.call(planUnexpose(registry, container, container.exposed))
      told ??= process.revocations.takeTold()
    }
    expect(statSync(join(directory, 'reserve')).size).toBe(size)
    expect(told).toMatchObject({ code: 'NFB_TOO_LARGE', remaining: ['files of the state directory'] })
    expect(process.marks.size).toBe(names.length * many.length)
  })
})

describe('the room that is set aside', () => {
  const open = (): Store => {
    const store = openStore(directory)
    onTestFinished(() => store.close())
    return store
  }
  const file = (): string => join(directory, 'reserve')

  it('keeps the text before the last one while that is written', () => {
    const { reserve } = open()
    reserve.write('first')
    const before = readFileSync(file())
    reserve.write('second')
    expect(reserve.read()).toBe('second')
    // Of the last write, as a killed process leaves it: half.
    const torn = Buffer.from(readFileSync(file()))
    const at = torn.indexOf('second')
    torn.fill('\n', at + 3, at + 60)
    writeFileSync(file(), torn)
    expect(reserve.read()).toBe('first')
    expect(before.length).toBe(torn.length)
  })

  it('is none in a file with holes, and of a text that is too long', () => {
    const { reserve } = open()
    const { size } = statSync(file())
    expect(() => reserve.write('x'.repeat(size))).toThrow(expect.objectContaining({ errno: 'EFBIG' }))
    truncateSync(file(), 0)
    truncateSync(file(), size)
    expect(() => reserve.write('text')).toThrow(expect.objectContaining({ errno: 'ENOSPC' }))
  })
})
