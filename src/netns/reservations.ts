import { type IPAddress, type Protocol, protocolNumbers } from '../address/index.js'
import { isIPAddress } from '../address/ip.js'
import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkInteger, checkObject } from '../input.js'
import type { Failure, ReservationsHandle } from '../native/addon.js'
import { errorOf, errorOfAll, failed } from '../native/failure.js'
import { readInput } from '../read-input.js'
import { Namespace } from './namespace.js'
import type { NamespaceSource } from './source.js'

/** A port of one protocol on one address. */
export interface ReservedPort {
  readonly protocol: Protocol
  /** `0.0.0.0` and `::` are all addresses of their family. An address that no link has yet can be reserved, too. */
  readonly address: IPAddress
  /** 1 to 65535. */
  readonly port: number
}

/** protocol, family, port and the sixteen bytes of the address (native/node/reservations_handle.cc). */
const WORDS = 7

/**
 * Ports of a namespace that are kept from everybody else: each by a socket that is bound to it and receives
 * nothing: what comes is refused. They are held until they are released, the instance is closed, or the process ends.
 */
export class PortReservations {
  readonly #namespace: Namespace
  readonly #handle: ReservationsHandle
  #closed = false

  private constructor(namespace: Namespace, handle: ReservationsHandle) {
    this.#namespace = namespace
    this.#handle = handle
  }

  /**
   * No port is held at first. A Namespace that is given stays the caller's to close, which the reservations survive.
   * @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED
   */
  static open(source: NamespaceSource | Namespace): PortReservations {
    const namespace = Namespace.open(source)
    try {
      return new PortReservations(namespace, namespace.openReservations('ports.open'))
    } catch (error) {
      namespace.close()
      throw error
    }
  }

  /**
   * Reserves ports, all or none. A protocol that the kernel lacks (SCTP is often a module that is missing) is passed
   * over: nobody else can have its ports either.
   * @throws NfbridgeError with the path `ports[i]`: NFB_PORT_TAKEN (EADDRINUSE) naming who has it where that can be found
   * out; NFB_NOT_PERMITTED (EACCES) for a port below net.ipv4.ip_unprivileged_port_start without CAP_NET_BIND_SERVICE;
   * NFB_TOO_LARGE (EMFILE, ENFILE) when the process may have no more descriptors, of which each port takes one;
   * NFB_CLOSED
   */
  async reserve(ports: readonly ReservedPort[]): Promise<void> {
    const operation = 'ports.reserve'
    const words = pack(ports, operation)
    if (this.#closed) throw closed(operation)
    if (words.length === 0) return
    const outcome = await this.#handle.reserve(words)
    if (!failed(outcome)) return
    const [failure] = outcome
    const port = failure === undefined ? undefined : ports[failure.index]
    if (failure === undefined || port === undefined) throw errorOfAll(outcome, operation)
    throw await this.#refused(failure, port, operation)
  }

  /** Lets go of ports; those that are not held are passed over. */
  async release(ports: readonly ReservedPort[]): Promise<void> {
    const operation = 'ports.release'
    const words = pack(ports, operation)
    if (this.#closed) throw closed(operation)
    if (words.length === 0) return
    const outcome = await this.#handle.release(words)
    if (failed(outcome)) throw errorOfAll(outcome, operation)
  }

  /** Lets go of all ports, on a thread of the addon's; what is pending fails with NFB_CLOSED. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#handle.close()
    this.#namespace.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #refused(failure: Failure, port: ReservedPort, operation: string): Promise<NfbridgeError> {
    const path = joinPath('ports', failure.index)
    const error = errorOf(failure, operation, () => path)
    const wording = REFUSALS.get(error.errno ?? '')
    if (wording === undefined) return error
    const who = wording.code === 'NFB_PORT_TAKEN' ? await this.#owner(port) : undefined
    return new NfbridgeError({
      code: wording.code,
      operation,
      message: `${portText(port)} ${wording.sentence}${who === undefined ? '' : ` by ${who}`}`,
      errno: error.errno,
      path,
    })
  }

  async #owner(port: ReservedPort): Promise<string | undefined> {
    if (this.#closed) return undefined
    const owner = await portOwner(this.#namespace, port)
    return owner?.startsWith(`process ${process.pid} `) ? `this process (${owner})` : owner
  }
}

const REFUSALS: ReadonlyMap<string, { readonly code: NfbridgeError['code']; readonly sentence: string }> =
  new Map([
    ['EADDRINUSE', { code: 'NFB_PORT_TAKEN', sentence: 'is taken' }],
    [
      'EACCES',
      {
        code: 'NFB_NOT_PERMITTED',
        sentence:
          'may not be bound: it is below net.ipv4.ip_unprivileged_port_start, which needs CAP_NET_BIND_SERVICE',
      },
    ],
    [
      'EMFILE',
      {
        code: 'NFB_TOO_LARGE',
        sentence: 'takes one descriptor more than this process may have: raise its limit (ulimit -n)',
      },
    ],
    [
      'ENFILE',
      { code: 'NFB_TOO_LARGE', sentence: 'takes one descriptor more than the system has (fs.file-max)' },
    ],
  ])

/**
 * Who has a port of a namespace, in words for an error: `process 1234 "nginx"`. From the namespace's socket tables
 * (sock_diag(7)) and the descriptors of the processes that this one may look into; it takes some time, at most a third
 * of a second where there are very many processes.
 * @param of with an address: whoever keeps others from the port there, be it by a socket for all addresses
 * @returns undefined when that does not tell
 */
export async function portOwner(
  namespace: Namespace,
  given: Omit<ReservedPort, 'address'> & Partial<Pick<ReservedPort, 'address'>>,
): Promise<string | undefined> {
  const operation = 'ports.owner'
  const of = checkObject(readInput(given, operation, ''), ['protocol', 'port', 'address'], operation, '')
  checkPort(of, operation, '')
  if (of.address !== undefined) checkAddress(of.address, operation, 'address')
  const address = of.address?.bytes ?? new Uint8Array(0)
  const outcome = await namespace.portOwner(protocolNumbers[of.protocol], of.port, address, operation)
  return failed(outcome) || outcome === '' ? undefined : outcome
}

/** `0.0.0.0:80/tcp`, `[::]:53/udp`. */
function portText({ protocol, address, port }: ReservedPort): string {
  return `${address.family === 6 ? `[${address}]` : address}:${port}/${protocol}`
}

function pack(given: readonly ReservedPort[], operation: string): Uint32Array {
  const ports = readInput(given, operation, 'ports')
  const words = new Uint32Array(checkArray(ports, operation, 'ports').length * WORDS)
  const bytes = new Uint8Array(words.buffer)
  for (const [index, port] of ports.entries()) {
    const path = joinPath('ports', index)
    checkObject(port, ['protocol', 'address', 'port'], operation, path)
    checkPort(port, operation, path)
    const { address } = port
    checkAddress(address, operation, `${path}.address`)
    words.set([protocolNumbers[port.protocol], address.family, port.port], index * WORDS)
    bytes.set(address.bytes, (index * WORDS + 3) * words.BYTES_PER_ELEMENT)
  }
  return words
}

function checkAddress(address: IPAddress, operation: string, path: string): void {
  if (isIPAddress(address)) return
  throw invalid('an IPv4Address or an IPv6Address is expected', operation, path)
}

function checkPort(
  { protocol, port }: Pick<ReservedPort, 'protocol' | 'port'>,
  operation: string,
  path: string,
): void {
  if (!Object.hasOwn(protocolNumbers, protocol))
    throw invalid('a protocol is tcp, udp or sctp', operation, joinPath(path, 'protocol'))
  checkInteger(port, [1, 65535], operation, joinPath(path, 'port'))
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}

function closed(operation: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_CLOSED', operation, message: 'the reservations are closed' })
}
