import { createHash } from 'node:crypto'
import { Cidr, parseAddress } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type { NamespaceIdentity } from '../../netns/index.js'
import type { Store } from '../../store/index.js'
import type { ContainerRecord, NetworkRecord, PeerRecord } from '../plan/records.js'
import type { PoolMemories } from '../plan/registry.js'
import type { Fact } from '../plan/revocations.js'
import type { ViewChange } from '../plan/view.js'
import { DEFAULT_TABLE } from '../rules/names.js'
import type { AdoptedBridge } from './adopted-bridge.js'
import { containerFromJson, containerToJson } from './container-json.js'
import { flag, object, text, texts } from './json-value.js'
import {
  networkFromJson,
  networkToJson,
  peerFromJson,
  peerToJson,
  poolMemoryFromJson,
} from './network-json.js'
import { NO_USER_RULES, type UserRuleSet } from './user-rules.js'
import { userRulesFromJson, userRulesToJson } from './user-rules-json.js'

/** What stood when the state was written. */
export interface Remembered {
  readonly networks: readonly NetworkRecord[]
  readonly containers: readonly ContainerRecord[]
  readonly peers: readonly PeerRecord[]
  readonly pools: ReadonlyMap<string, PoolMemories>
  /** Settings of the kernel that we changed: what they were before. */
  readonly sysctls: ReadonlyMap<string, string>
  /** What we changed on bridges that are not ours. */
  readonly bridges: ReadonlyMap<string, AdoptedBridge>
  readonly userRules: UserRuleSet
  /** Whether the networks have rules; undefined before there was any. */
  readonly firewall: boolean | undefined
  /** The host's name; undefined as above. */
  readonly name: string | undefined
  /** Where the networks are; undefined as above, and of a version that did not write it. */
  readonly netns: NamespaceIdentity | undefined
}

/** What was revoked and is not in the files: noted in room that was set aside. */
export interface Journal {
  readonly facts: readonly Fact[]
  readonly userRules?: UserRuleSet
}

/** What of the host is the same from one open to the next. */
export interface LastingSettings {
  readonly firewall: boolean
  readonly name: string
  readonly netns: NamespaceIdentity
}

/** What stands as files: text forms only, parsed again by the parsers of the caller's own input. */
export class Persistence {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Lets another host open the directory. */
  close(): void {
    this.#store.close()
  }

  /**
   * Writes what a change made: a file for each object that it touches. Containers that go come first: killed in between, the
   * links to them are dropped by the next open, and the call has happened.
   */
  save(change: ViewChange): void {
    for (const [name, network] of change.networks ?? []) {
      this.#store.put('networks', name, network && networkToJson(network))
      if (network === undefined) this.savePools(name, undefined)
    }
    const containers = [...(change.containers ?? [])]
    const gone = containers.filter(([, container]) => !container)
    for (const [id, container] of [...gone, ...containers.filter(([, each]) => each)]) {
      this.#store.put('containers', containerKey(id), container && containerToJson(container))
    }
    for (const [subnet, peer] of change.peers ?? []) {
      this.#store.put('peers', subnet, peer && peerToJson(peer))
    }
  }

  /** Keeps or forgets the order in which a network's pools go on. */
  savePools(network: string, memories: PoolMemories | undefined): void {
    this.#store.put('pools', network, memories)
  }

  /** Whether the networks of this directory have rules, in tables of what name, and in which namespace. */
  saveSettings({ firewall, name, netns }: LastingSettings): void {
    this.#store.put('host', 'settings', { firewall, name, netns })
  }

  saveSysctl(name: string, before: string | undefined): void {
    this.#store.put('sysctls', name, before === undefined ? undefined : { before })
  }

  saveBridge(name: string, bridge: AdoptedBridge | undefined): void {
    this.#store.put('bridges', name, bridge)
  }

  saveUserRules(rules: UserRuleSet): void {
    this.#store.put('host', 'user-rules', userRulesToJson(rules))
  }

  get journal(): Journal {
    const written = this.#store.reserve.read()
    return written === undefined
      ? { facts: [] }
      : this.#guarded('', 'reserve', () => journalFromText(written))
  }

  set journal({ facts, userRules }: Journal) {
    const json = { facts: facts.join(''), ...(userRules && { userRules: userRulesToJson(userRules) }) }
    this.#store.reserve.write(JSON.stringify(json))
  }

  /** @throws NfbridgeError NFB_STATE_DAMAGED when a file is not what was written */
  load(): Remembered {
    const host = new Map(this.#read('host', (value, key) => [key, value] as const))
    const settings = host.get('settings')
    const userRules = host.get('user-rules')
    const guarded = <T>(kind: string, key: string, parse: () => T): T => this.#guarded(kind, key, parse)
    return {
      networks: this.#read(
        'networks',
        named(networkFromJson, ({ name }) => name),
      ),
      containers: this.#read(
        'containers',
        named(containerFromJson, ({ id }) => containerKey(id)),
      ),
      peers: this.#read(
        'peers',
        named(peerFromJson, ({ subnet }) => subnet.toString()),
      ),
      pools: new Map(this.#read('pools', (value, key) => [key, poolsFromJson(value)] as const)),
      sysctls: new Map(this.#read('sysctls', (value, key) => [key, text(value, 'before')] as const)),
      bridges: new Map(this.#read('bridges', (value, key) => [key, bridgeFromJson(value)] as const)),
      userRules: userRules
        ? guarded('host', 'user-rules', () => userRulesFromJson(userRules))
        : NO_USER_RULES,
      firewall: settings && guarded('host', 'settings', () => flag(settings, 'firewall')),
      // A file of before there were names has none.
      name:
        settings &&
        guarded('host', 'settings', () => ('name' in settings ? text(settings, 'name') : DEFAULT_TABLE)),
      netns:
        settings &&
        guarded('host', 'settings', () =>
          'netns' in settings ? identityFromJson(object(settings, 'netns')) : undefined,
        ),
    }
  }

  #read<T>(kind: string, parse: (value: object, key: string) => T): T[] {
    return this.#store.list(kind).map(({ key, value }) =>
      this.#guarded(kind, key, () => {
        if (typeof value !== 'object' || value === null) throw new TypeError('no object')
        return parse(value, key)
      }),
    )
  }

  #guarded<T>(kind: string, key: string, parse: () => T): T {
    try {
      return parse()
    } catch (error) {
      const reason =
        error instanceof NfbridgeError ? error.reason : error instanceof Error ? error.message : error
      throw new NfbridgeError({
        code: 'NFB_STATE_DAMAGED',
        operation: OPERATION,
        message: `${this.#store.fileOf(kind, key)} is damaged: ${reason}; mend or remove this file, or give another state directory`,
        cause: error,
      })
    }
  }
}

/** A file's name takes 255 bytes, of which a draft's ending is some, and a character of an id may need twelve of them. */
const LONGEST_KEY = 200
/** Ids that begin so are digested as well, so that none has the key of another. */
const DIGESTED = 'sha256:'

/** What a container's file is called by: its id, or a digest of one that is too long for a file's name. */
function containerKey(id: string): string {
  if (encodeURIComponent(id).length <= LONGEST_KEY && !id.startsWith(DIGESTED)) return id
  return DIGESTED + createHash('sha256').update(id).digest('hex')
}

/** Each object is in the file of its own name, or it would be forgotten in another. */
function named<T>(parse: (value: object) => T, nameOf: (parsed: T) => string) {
  return (value: object, key: string): T => {
    const parsed = parse(value)
    if (nameOf(parsed) === key) return parsed
    throw new TypeError(`it is of ${nameOf(parsed)}`)
  }
}

const OPERATION = 'BridgeHost.open'
/** Of a fact. */
const FACT = /[0-9a-f]{32}/g

function journalFromText(written: string): Journal {
  const value: unknown = JSON.parse(written)
  if (typeof value !== 'object' || value === null) throw new TypeError('no object')
  const facts = text(value, 'facts').match(FACT) ?? []
  return { facts, ...('userRules' in value && { userRules: userRulesFromJson(object(value, 'userRules')) }) }
}

function identityFromJson(value: object): NamespaceIdentity {
  return { boot: text(value, 'boot'), file: text(value, 'file') }
}

function bridgeFromJson(value: object): AdoptedBridge {
  return {
    nfCallIptables: flag(value, 'nfCallIptables'),
    nfCallIp6tables: flag(value, 'nfCallIp6tables'),
    up: flag(value, 'up'),
    addresses: texts(value, 'addresses').map((each) => Cidr.parseInterface(each).toString()),
    // A file of an earlier version has none.
    gateways:
      'gateways' in value ? texts(value, 'gateways').map((each) => parseAddress(each).toString()) : [],
  }
}

function poolsFromJson(value: object): PoolMemories {
  return Object.fromEntries(
    Object.keys(value).map((subnet) => [
      Cidr.parse(subnet).toString(),
      poolMemoryFromJson(object(value, subnet)),
    ]),
  )
}
