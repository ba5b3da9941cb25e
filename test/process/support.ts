import type { Failure, NamespaceHandle, Outcome, SocketHandle } from '../../src/native/addon.js'
import { addon } from '../../src/native/load.js'
import { MessageFlag, Packer } from '../../src/native/pack.js'
import type { MessageName, MessageRecords } from '../../src/native/records.js'

const INET = 1

function isFailures(outcome: unknown): outcome is readonly Failure[] {
  return Array.isArray(outcome)
}

/** The result of a call that must have worked. */
export function good<T>(outcome: Outcome<T>): T {
  if (isFailures(outcome)) throw new Error(`a native call failed: ${JSON.stringify(outcome)}`)
  return outcome
}

/** The failures of a call that must have failed, each as what is asked for. */
export function failures(outcome: Outcome<unknown>): readonly Failure[] {
  if (!isFailures(outcome)) throw new Error('a native call succeeded that must fail')
  return outcome
}

/** The cause of a call that must have failed. */
export function cause(outcome: Outcome<unknown>): Failure {
  const [first] = failures(outcome)
  if (first === undefined) throw new Error('a native call failed without a failure')
  return first
}

/** One message as words. */
export function words<K extends MessageName>(name: K, record: MessageRecords[K], flags = 0): Uint32Array {
  const packer = new Packer()
  packer.add(name, flags, record)
  return packer.words()
}

/** A table with a chain of `count` rules. */
export function rules(table: string, count: number): Uint32Array {
  const packer = new Packer()
  packer.add('nftNewTable', MessageFlag.create, { family: INET, name: table })
  packer.add('nftNewChain', MessageFlag.create, { family: INET, table, name: 'c' })
  for (let rule = 0; rule < count; rule++)
    packer.add('nftNewRule', MessageFlag.create | MessageFlag.append, { family: INET, table, chain: 'c' })
  return packer.words()
}

/** A table, as words. */
export function table(name: string): Uint32Array {
  return words('nftNewTable', { family: INET, name }, MessageFlag.create)
}

/** The request for the ruleset's generation. */
export function generationRequest(): Uint32Array {
  return words('nftGetGeneration', {})
}

/** Runs with a new namespace that is gone afterwards. */
export async function inNamespace<T>(body: (namespace: NamespaceHandle) => Promise<T>): Promise<T> {
  const namespace = good(await addon.createNamespace())
  try {
    return await body(namespace)
  } finally {
    namespace.close()
  }
}

/** Runs with a socket in a new namespace. */
export function withSocket<T>(
  protocol: 'route' | 'netfilter',
  body: (socket: SocketHandle, namespace: NamespaceHandle) => Promise<T>,
): Promise<T> {
  return inNamespace(async (namespace) => {
    const socket = good(await namespace.openSocket(protocol))
    try {
      return await body(socket, namespace)
    } finally {
      socket.close()
    }
  })
}

/** Numbers from 0 to 2³²-1 that are the same in each run: xorshift32. */
export function* randomNumbers(seed: number): Generator<number, never, undefined> {
  let state = seed >>> 0 || 1
  for (;;) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield state >>> 0
  }
}
