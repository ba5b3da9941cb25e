import { isMainThread } from 'node:worker_threads'
import { NfbridgeError } from '../errors.js'
import { checkObject, checkPath, checkString } from '../input.js'
import type {
  MonitorHandle,
  MonitorOptions,
  NamespaceHandle,
  Outcome,
  ReservationsHandle,
  SocketHandle,
} from '../native/addon.js'
import { failed, unwrap } from '../native/failure.js'
import { addon } from '../native/load.js'
import { readInput } from '../read-input.js'
import { type NamespaceSource, openSource } from './source.js'
import { sysctlError } from './sysctl.js'

/** The netlink families that the addon speaks. */
export type NetlinkProtocol = 'route' | 'netfilter'

/** How {@link Namespace.create} makes a namespace. */
export interface NamespaceOptions {
  /**
   * Keeps the namespace under this path, as `ip netns add` does below /run/netns; directories that are missing are made. It then outlives the handle and the
   * process, until {@link Namespace.unmount}. Without it the namespace goes with the last handle and process in it.
   */
  readonly path?: string
}

/**
 * A network namespace, held open by a descriptor. It is open until {@link Namespace.close}; what was opened in it
 * (sockets, monitors) stays open beyond that.
 */
export class Namespace {
  readonly #handle: NamespaceHandle
  readonly #fd: number
  /** The inode of the namespace: equal for two handles of one namespace. */
  readonly inode: bigint
  #closed = false

  private constructor(handle: NamespaceHandle) {
    this.#handle = handle
    this.#fd = handle.fd
    this.inode = handle.inode
  }

  /**
   * Opens a namespace. Given a {@link Namespace}, opens it once more: both are closed on their own.
   * @throws NfbridgeError NFB_NAMESPACE_GONE when there is none; NFB_NOT_PERMITTED when it may not be opened;
   * NFB_INVALID_ARGUMENT when the source is none; NFB_CLOSED when it is a Namespace that is closed
   */
  static open(source: NamespaceSource | Namespace): Namespace {
    return new Namespace(openSource(source, 'netns.open'))
  }

  /**
   * Makes a new, empty network namespace, with `lo` down.
   * @throws NfbridgeError NFB_NOT_PERMITTED without CAP_SYS_ADMIN; NFB_EXISTS when something is under `path`
   */
  static async create(options: NamespaceOptions = {}): Promise<Namespace> {
    const { path } = checkObject(readInput(options, 'netns.create', ''), ['path'], 'netns.create', '')
    if (path !== undefined) checkPath(path, 'netns.create', 'path')
    return new Namespace(unwrap(await addon.createNamespace(path), 'netns.create'))
  }

  /** The namespace of the calling thread. */
  static current(): Namespace {
    return Namespace.open('/proc/thread-self/ns/net')
  }

  /**
   * Takes away what `create({ path })` left at the path; the namespace itself goes when nobody uses it.
   * @throws NfbridgeError NFB_MISSING when nothing is there; NFB_NOT_PERMITTED
   */
  static async unmount(path: string): Promise<void> {
    checkPath(path, 'netns.unmount', 'path')
    unwrap(await addon.unmountNamespace(path), 'netns.unmount')
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** The descriptor, valid until {@link close}. */
  get fd(): number {
    this.#open('netns.fd')
    return this.#fd
  }

  /** A path by which any process of the same user can open it while this handle is open: `/proc/<pid>/fd/<fd>`. */
  path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`
  }

  /**
   * Reads a setting below /proc/sys as this namespace has it, without the newline at its end.
   * @param name below `net`, with dots or slashes: `net.ipv4.ip_forward`, `net/ipv4/conf/eth0.5/forwarding`
   * @throws NfbridgeError NFB_INVALID_NAME when it is not such a name; NFB_MISSING when there is none of that name; NFB_NOT_PERMITTED
   */
  async readSysctl(name: string): Promise<string> {
    checkText(name, 'netns.readSysctl', 'name')
    const outcome = await this.#open('netns.readSysctl').readSysctl(name)
    if (failed(outcome)) throw sysctlError(outcome, name, 'netns.readSysctl')
    return outcome.trimEnd()
  }

  /**
   * Reads a file of /proc/net as this namespace has it: `ip_tables_names`. For the layers above.
   * @returns undefined when there is none of that name
   */
  async readProcNet(name: string): Promise<string | undefined> {
    const operation = 'netns.readProcNet'
    const outcome = await this.#open(operation).readProcNet(name)
    try {
      return unwrap(outcome, operation)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /**
   * Writes a setting below /proc/sys of this namespace; see {@link readSysctl} for the name.
   * @throws NfbridgeError NFB_MISSING when there is none of that name; NFB_NOT_PERMITTED; NFB_REJECTED for a value
   * that the kernel does not take
   */
  async writeSysctl(name: string, value: string): Promise<void> {
    checkText(name, 'netns.writeSysctl', 'name')
    checkText(value, 'netns.writeSysctl', 'value')
    const outcome = await this.#open('netns.writeSysctl').writeSysctl(name, value)
    if (failed(outcome)) throw sysctlError(outcome, name, 'netns.writeSysctl')
  }

  /**
   * Moves the calling worker thread into the namespace, for good: sockets that it makes from then on belong there.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT on the main thread, whose namespace the whole process relies on
   */
  enterWorkerThread(): void {
    const operation = 'netns.enterWorkerThread'
    if (isMainThread) {
      throw new NfbridgeError({
        code: 'NFB_INVALID_ARGUMENT',
        operation,
        message: 'the main thread cannot move: call it from a worker thread (node:worker_threads)',
      })
    }
    unwrap(this.#open(operation).enterThread(), operation)
  }

  /** Opens a netlink socket in the namespace. For the layers above; a socket belongs to its namespace for life. @internal */
  async openSocket(
    protocol: NetlinkProtocol,
    operation = 'netns.openSocket',
    listingLimit?: number,
  ): Promise<SocketHandle> {
    return unwrap(await this.#open(operation).openSocket(protocol, listingLimit), operation)
  }

  /** Subscribes to multicast groups in the namespace. For the layers above. @internal */
  async openMonitor(
    protocol: NetlinkProtocol,
    groups: readonly number[],
    onEvents: (events: Outcome<ArrayBuffer>) => void,
    operation = 'netns.openMonitor',
    options?: MonitorOptions,
  ): Promise<MonitorHandle> {
    return unwrap(await this.#open(operation).openMonitor(protocol, groups, onEvents, options), operation)
  }

  /** Sends one batch of rtnetlink requests in the namespace without keeping a socket. For the layers above. @internal */
  exchange(words: Uint32Array, operation = 'netns.exchange'): Promise<Outcome<ArrayBuffer>> {
    return this.#open(operation).request(words)
  }

  /** Opens reservations of ports in the namespace. For {@link PortReservations}. @internal */
  openReservations(operation: string): ReservationsHandle {
    return unwrap(this.#open(operation).openReservations(), operation)
  }

  /** Who has a port, by the protocol's number; empty when unknown. For {@link portOwner}. @internal */
  portOwner(
    protocol: number,
    port: number,
    address: Uint8Array,
    operation: string,
  ): Promise<Outcome<string>> {
    return this.#open(operation).portOwner(protocol, port, address)
  }

  /** Sends link-layer frames out of a link, each after its length. For {@link announce}. @internal */
  sendFrames(device: number | string, frames: Uint8Array, operation: string): Promise<Outcome<undefined>> {
    return this.#open(operation).sendFrames(device, frames)
  }

  /** Closes the handle. Closing twice is the same as closing once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#handle.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #open(operation: string): NamespaceHandle {
    if (!this.#closed) return this.#handle
    throw new NfbridgeError({ code: 'NFB_CLOSED', operation, message: 'the namespace handle is closed' })
  }
}

/** A text that a system call takes: a NUL would end it there. */
function checkText(text: string, operation: string, path: string): void {
  if (!checkString(text, operation, path).includes('\0')) return
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: 'a text without NUL characters is expected',
    path,
  })
}
