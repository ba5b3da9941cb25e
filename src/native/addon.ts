/**
 * The typed contract of every export of the C++ addon. Nothing above `native/` uses it directly.
 * The layout of the buffers is in `native/codec/records.h`.
 */

/** Why a native call failed. `kernel`: an error message of netlink; `system`: a system call; the rest are ours. */
export type FailureReason =
  | 'kernel'
  | 'system'
  | 'closed'
  | 'inconsistent'
  | 'overflow'
  | 'too-large'
  | 'malformed'

/** One failure of a native call; a call can have several, the first is the cause. */
export interface Failure {
  readonly reason: FailureReason
  /** Positive errno, or 0 where there is none. */
  readonly errno: number
  /** The system call or step: `sendmsg`, `setns`, `encode`. */
  readonly call: string
  /** The kernel's extended acknowledgement, or a sentence of ours, or empty. */
  readonly message: string
  /** Index of the message in the batch that it is about, or -1. */
  readonly index: number
  /** Path of the offending property within that message (`expressions[2].data.sreg`), or empty. */
  readonly path: string
}

/** Native calls report what fails as values: what was asked for, or the failures. */
export type Outcome<T> = T | readonly Failure[]

/** Options of a batch. */
export interface TransactionOptions {
  /** The ruleset's generation that the batch was planned for; ERESTART when it is another by now. */
  readonly generation?: number | undefined
  /** The kernel does and validates all of it, then undoes it. */
  readonly dryRun?: boolean | undefined
}

/** A netlink socket. Calls run in their order on a thread of the addon's own; `…Sync` on the calling thread. */
export interface SocketHandle {
  /** The port that the kernel gave it, which is told with what it commits; 0 when closed. */
  readonly port: number
  /** Several requests in one send, an acknowledgement asked on the last only; resolves with their replies. */
  request(words: Uint32Array): Promise<Outcome<ArrayBuffer>>
  requestSync(words: Uint32Array): Outcome<ArrayBuffer>
  /** One dump request; restarted a bounded number of times while the kernel calls it inconsistent. */
  dump(words: Uint32Array): Promise<Outcome<ArrayBuffer>>
  dumpSync(words: Uint32Array): Outcome<ArrayBuffer>
  /**
   * A dump in parts, as they are asked for: begun with words, gone on with by none; an empty part is the end. It is not
   * restarted: what changed meanwhile is told at the end (`inconsistent`). Nothing else may be called before the end.
   */
  dumpPart(words: Uint32Array): Promise<Outcome<ArrayBuffer>>
  /**
   * Forgets the tracked connections that patterns mean, of those that a dump of `ctGet` lists, without any of them coming up
   * here. The patterns are in `native/netlink/connections.h`. @returns how many there were
   */
  forget(words: Uint32Array, patterns: Uint32Array): Promise<Outcome<number>>
  /** One nf_tables batch, whole or not at all; resolves with the echoed messages of those that asked. */
  transaction(words: Uint32Array, options?: TransactionOptions): Promise<Outcome<ArrayBuffer>>
  transactionSync(words: Uint32Array, options?: TransactionOptions): Outcome<ArrayBuffer>
  /** An empty job on the socket's thread: what a call costs before it does anything. */
  roundTrip(): Promise<Outcome<undefined>>
  /** Settles what is pending with `closed`, then releases the descriptor on an addon thread. Idempotent. */
  close(): void
}

/** What a monitor gets of its groups, and whether it keeps the event loop alive while it is open. */
export interface MonitorOptions {
  /** Only messages of this name. The kernel wakes nobody for the others. */
  readonly message: string
  /** But for what the socket with this port caused. */
  readonly exceptPort: number
  readonly holds: boolean
}

/** A stream of multicast messages. `onEvents` gets a buffer of messages, or failures (`overflow`: events were lost). */
export interface MonitorHandle {
  close(): void
}

/**
 * Ports of a namespace, held by bound sockets. `ports`: seven words each, the protocol's number, the family (4 or 6), the
 * port, and the sixteen bytes of the address. Calls run in their order on a thread of the addon's own.
 */
export interface ReservationsHandle {
  /** All or none; the failure's `index` is that of the port. */
  reserve(ports: Uint32Array): Promise<Outcome<undefined>>
  release(ports: Uint32Array): Promise<Outcome<undefined>>
  /** Settles what is pending with `closed`, then lets go of all ports on an addon thread. Idempotent. */
  close(): void
}

/** A network namespace held open by a descriptor. */
export interface NamespaceHandle {
  /** The descriptor; valid until `close`. Use as `/proc/<pid>/fd/<fd>`. */
  readonly fd: number
  /** Inode of the namespace: equal for two handles of the same namespace. */
  readonly inode: bigint
  readSysctl(name: string): Promise<Outcome<string>>
  /** A file of the namespace's own /proc/net. */
  readProcNet(name: string): Promise<Outcome<string>>
  writeSysctl(name: string, value: string): Promise<Outcome<undefined>>
  /** @param listingLimit how many bytes all dumps on the socket may have; beyond it they fail (`too-large`), and it is to be closed */
  openSocket(protocol: 'route' | 'netfilter', listingLimit?: number): Promise<Outcome<SocketHandle>>
  /** One-shot: enters, opens a route socket, sends the batch, drains, closes. For namespaces that are used once. */
  request(words: Uint32Array): Promise<Outcome<ArrayBuffer>>
  openMonitor(
    protocol: 'route' | 'netfilter',
    groups: readonly number[],
    onEvents: (events: Outcome<ArrayBuffer>) => void,
    options?: MonitorOptions,
  ): Promise<Outcome<MonitorHandle>>
  /** Holds no port yet. It is independent of this handle, which may be closed. */
  openReservations(): Outcome<ReservationsHandle>
  /**
   * Who has a port, in words; empty when that cannot be found out. The protocol is its number; the address has 4 or 16
   * bytes, or none for any.
   */
  portOwner(protocol: number, port: number, address: Uint8Array): Promise<Outcome<string>>
  /** Link-layer frames, each after its length as a u16 of the host; sent out of a link in their order. */
  sendFrames(device: number | string, frames: Uint8Array): Promise<Outcome<undefined>>
  /** Moves the calling thread into the namespace, for good. Refused (`system`, EINVAL) on the process's main thread. */
  enterThread(): Outcome<undefined>
  close(): void
}

/** How a field's value is laid out; the names of `codec::Type`. */
export type FieldType =
  | 'u8'
  | 'u16'
  | 'u32'
  | 's32'
  | 'u64'
  | 'be16'
  | 'be32'
  | 'beS32'
  | 'be64'
  | 'string'
  | 'flag'
  | 'bytes'
  | 'nested'
  | 'list'
  | 'strings'
  | 'structs'
  | 'select'

/** One field of a schema; header fields come first. */
export interface FieldTable {
  readonly name: string
  readonly type: FieldType
  /** nested, list, structs: index into `schemas`. */
  readonly schema?: number
  /** select: index of the field, in the same schema, whose value selects. */
  readonly key?: number
  /** select: the alternatives, by the string or number that the key field holds. */
  readonly variants?: readonly { readonly key: string | number; readonly schema: number }[]
}

export interface SchemaTable {
  readonly name: string
  readonly fields: readonly FieldTable[]
}

export interface MessageTable {
  readonly name: string
  readonly protocol: 'route' | 'netfilter'
  readonly type: number
  readonly schema: number
}

export interface NativeAddon {
  readonly schemas: readonly SchemaTable[]
  readonly messages: readonly MessageTable[]
  /** Opens a namespace by a path (`/run/netns/web`, `/proc/1234/ns/net`); ENOENT or EINVAL when it is none. */
  openNamespace(path: string): Outcome<NamespaceHandle>
  /** Duplicates a descriptor that the caller keeps. */
  openNamespaceFd(fd: number): Outcome<NamespaceHandle>
  /** That of a process, by its number; ESRCH when there is none, or when it ended meanwhile and the number may be another's. */
  openNamespaceOfProcess(pid: number): Outcome<NamespaceHandle>
  /** A new namespace, owned by the handle; kept under `path` (bind mount) when one is given. */
  createNamespace(path?: string): Promise<Outcome<NamespaceHandle>>
  /** Takes away what `createNamespace(path)` mounted. */
  unmountNamespace(path: string): Promise<Outcome<undefined>>
  /** Takes the lock of an open file, without waiting (flock(2)): EAGAIN when another open file has it. */
  lockFile(fd: number): Outcome<undefined>
  /** Encodes without sending and decodes what was encoded: for tests of the codec. */
  encode(words: Uint32Array): Outcome<ArrayBuffer>
  decode(protocol: 'route' | 'netfilter', bytes: Uint8Array): Outcome<ArrayBuffer>
}
