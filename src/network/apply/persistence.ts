import { Cidr, IPv4Address, MacAddress, parseExpose } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { checkArray, checkBoolean, checkInteger, checkString } from '../../input.js'
import type { Store } from '../../store/index.js'
import type { PoolMemory } from '../plan/address-pool.js'
import { parsePublishOption } from '../plan/container-settings.js'
import {
  type ContainerRecord,
  type LinkRecord,
  type NetworkRecord,
  portText,
  publishedText,
} from '../plan/records.js'
import type { ViewChange } from '../plan/view.js'

/** What stood when the state was written. */
export interface Remembered {
  readonly networks: readonly NetworkRecord[]
  readonly containers: readonly ContainerRecord[]
  readonly pools: ReadonlyMap<string, PoolMemory>
  /** Settings of the kernel that we changed: what they were before. */
  readonly sysctls: ReadonlyMap<string, string>
  /** Whether the networks have rules; undefined before there was any. */
  readonly firewall: boolean | undefined
}

/** The networks and containers as files: text forms only, parsed again by the parsers of the caller's own input. */
export class Persistence {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Writes what a change made: a file for each object that it touches. */
  save(change: ViewChange): void {
    for (const [name, network] of change.networks ?? []) {
      this.#store.put('networks', name, network && networkToJson(network))
      if (network === undefined) this.#store.put('pools', name, undefined)
    }
    for (const [id, container] of change.containers ?? []) {
      this.#store.put('containers', id, container && containerToJson(container))
    }
  }

  /** Keeps or forgets the order in which a pool goes on. */
  savePool(network: string, memory: PoolMemory | undefined): void {
    this.#store.put('pools', network, memory)
  }

  /** Whether the networks of this directory have rules. */
  saveFirewall(firewall: boolean): void {
    this.#store.put('host', 'settings', { firewall })
  }

  saveSysctl(name: string, before: string | undefined): void {
    this.#store.put('sysctls', name, before === undefined ? undefined : { before })
  }

  /** @throws NfbridgeError NFB_STATE_DAMAGED when a file is not what was written */
  load(): Remembered {
    return {
      networks: this.#read('networks', networkFromJson),
      containers: this.#read('containers', containerFromJson),
      pools: new Map(this.#read('pools', (value, key) => [key, poolFromJson(value)] as const)),
      firewall: this.#read('host', (value) => checkBoolean(get(value, 'firewall'), OPERATION, 'firewall'))[0],
      sysctls: new Map(this.#read('sysctls', (value, key) => [key, text(value, 'before')] as const)),
    }
  }

  #read<T>(kind: string, parse: (value: object, key: string) => T): T[] {
    return this.#store.list(kind).map(({ key, value }) => {
      try {
        if (typeof value !== 'object' || value === null) throw new TypeError('no object')
        return parse(value, key)
      } catch (error) {
        throw new NfbridgeError({
          code: 'NFB_STATE_DAMAGED',
          operation: OPERATION,
          message: `${kind}/${key}.json in the state directory is damaged: ${error instanceof Error ? error.message : error}`,
          cause: error,
        })
      }
    })
  }
}

const OPERATION = 'BridgeHost.open'

function networkToJson({ name, subnet, gateway, icc, mtu, group }: NetworkRecord): object {
  return { name, subnet: subnet.toString(), gateway: gateway.toString(), icc, mtu, group }
}

function networkFromJson(value: object): NetworkRecord {
  return {
    name: text(value, 'name'),
    subnet: Cidr.parse(text(value, 'subnet')),
    gateway: IPv4Address.parse(text(value, 'gateway')),
    icc: checkBoolean(get(value, 'icc'), OPERATION, 'icc'),
    mtu: get(value, 'mtu') === undefined ? undefined : integer(value, 'mtu'),
    group: integer(value, 'group'),
  }
}

function containerToJson(container: ContainerRecord): object {
  const { address, mac, exposed, published, ...rest } = container
  return {
    ...rest,
    address: address.toString(),
    mac: mac.toString(),
    expose: exposed.map(portText),
    publish: published.map(publishedText),
  }
}

function containerFromJson(value: object): ContainerRecord {
  return {
    id: text(value, 'id'),
    name: text(value, 'name'),
    hostname: text(value, 'hostname'),
    network: text(value, 'network'),
    address: IPv4Address.parse(text(value, 'address')),
    mac: MacAddress.parseUnicast(text(value, 'mac')),
    hostInterface: text(value, 'hostInterface'),
    interfaceName: text(value, 'interfaceName'),
    index: integer(value, 'index'),
    exposed: array(value, 'expose').map((port) => {
      const { protocol, first } = parseExpose(checkString(port, OPERATION, 'expose'), 'expose')
      return { protocol, port: first }
    }),
    published: array(value, 'publish').flatMap((port) =>
      parsePublishOption(checkString(port, OPERATION, 'publish'), 'publish'),
    ),
    links: array(value, 'links').map(linkFromJson),
  }
}

function linkFromJson(value: unknown): LinkRecord {
  if (typeof value !== 'object' || value === null) throw new TypeError('a link is no object')
  return { server: text(value, 'server'), alias: text(value, 'alias') }
}

function poolFromJson(value: object): PoolMemory {
  return {
    fresh: integer(value, 'fresh'),
    freed: array(value, 'freed').map((each) => checkInteger(each, [0, 0xffffffff], OPERATION, 'freed')),
  }
}

function get(value: object, property: string): unknown {
  return Object.entries(value).find(([name]) => name === property)?.[1]
}

function text(value: object, property: string): string {
  return checkString(get(value, property), OPERATION, property)
}

function integer(value: object, property: string): number {
  return checkInteger(get(value, property), [0, 0xffffffff], OPERATION, property)
}

function array(value: object, property: string): readonly unknown[] {
  const list = get(value, property)
  return checkArray(Array.isArray(list) ? list : [], OPERATION, property)
}
