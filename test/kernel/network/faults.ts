import { Conntrack } from '../../../src/conntrack/index.js'
import { NfbridgeError } from '../../../src/index.js'
import { Namespace, PortReservations } from '../../../src/netns/index.js'
import { HostKernel } from '../../../src/network/apply/host-kernel.js'
import { Persistence } from '../../../src/network/apply/persistence.js'
import { UserRules } from '../../../src/network/apply/user-rules.js'
import { Nft } from '../../../src/nft/index.js'
import { Transaction } from '../../../src/nft/transaction.js'

/** All by which the layer of networks changes or asks the world, but the hosts files. */
const CALLS: readonly (readonly [prototype: object, methods: readonly string[]])[] = [
  [
    HostKernel.prototype,
    [
      'listLinks',
      'findLink',
      'listRoutes',
      'listAddresses',
      'bridgeIndex',
      'awaitCarrier',
      'awaitLocal',
      'applyLinks',
      'applyInside',
      'forgetFlows',
    ],
  ],
  [Persistence.prototype, ['save', 'savePools', 'saveSysctl', 'saveBridge', 'saveUserRules']],
  [UserRules.prototype, ['read', 'snapshot']],
  // Of nf_tables and connection tracking each send, also those that are made past the kernel's handles above.
  [Transaction.prototype, ['commit']],
  [Nft.prototype, ['list', 'count', 'generation']],
  [Conntrack.prototype, ['list', 'delete']],
  [PortReservations.prototype, ['reserve', 'release']],
  [Namespace.prototype, ['readSysctl', 'writeSysctl']],
]

/** What was called, and what of it failed. */
export interface Faults {
  readonly calls: readonly string[]
  /** Numbers, from 0, of the calls that fail before they do anything. */
  failing: ReadonlySet<number>
  readonly failed: readonly string[]
}

/** Lets calls of the layer below fail by their number. */
export async function withFaults<T>(
  failing: readonly number[],
  work: (faults: Faults) => Promise<T>,
): Promise<T> {
  const calls: string[] = []
  const failed: string[] = []
  const faults = { calls, failed, failing: new Set(failing) }
  const restore = CALLS.flatMap(([prototype, methods]) =>
    methods.map((method) => {
      const original: unknown = Reflect.get(prototype, method)
      if (typeof original !== 'function') throw new Error(`there is no ${method}`)
      Reflect.set(prototype, method, function intercepted(this: unknown, ...given: unknown[]): unknown {
        const number = calls.push(method) - 1
        if (!faults.failing.has(number)) return Reflect.apply(original, this, given)
        failed.push(method)
        throw new NfbridgeError({ code: 'NFB_REJECTED', operation: method, message: 'fails on purpose' })
      })
      return () => Reflect.set(prototype, method, original)
    }),
  )
  try {
    return await work(faults)
  } finally {
    for (const each of restore) each()
  }
}
