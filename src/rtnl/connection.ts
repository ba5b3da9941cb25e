import { NfbridgeError } from '../errors.js'
import type { Outcome, SocketHandle } from '../native/addon.js'
import { errorOfAll, failed, unwrap } from '../native/failure.js'
import { Packer } from '../native/pack.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'
import { applySteps, lookUpSteps, runSteps, runStepsSync } from './batch.js'
import type { RtnlOperation } from './operation.js'
import { checkDevice, type Device } from './values.js'

/** A route socket and what all parts of {@link Rtnl} do with it. */
export class Connection {
  readonly #socket: SocketHandle
  #closed = false

  constructor(socket: SocketHandle) {
    this.#socket = socket
  }

  async apply(operations: readonly RtnlOperation[], caller: string): Promise<void> {
    this.#assertOpen(caller)
    await runSteps(applySteps(operations, caller), (words) => this.#socket.request(words))
  }

  applySync(operations: readonly RtnlOperation[], caller: string): void {
    this.#assertOpen(caller)
    runStepsSync(applySteps(operations, caller), (words) => this.#socket.requestSync(words))
  }

  /** The index of a link that may be given by its name. @throws NfbridgeError NFB_MISSING, NFB_INVALID_NAME */
  async indexOf(device: Device, caller: string, path: string): Promise<number> {
    const checked = checkDevice(device, caller, path)
    if (typeof checked === 'number') return checked
    const send = (words: Uint32Array): Promise<Outcome<ArrayBuffer>> => this.#socket.request(words)
    const found = await runSteps(lookUpSteps(new Map([[checked, path]]), caller), send)
    const index = found.get(checked)
    if (index !== undefined) return index
    throw new NfbridgeError({
      code: 'NFB_MISSING',
      operation: caller,
      message: `there is no link ${checked}`,
      path,
    })
  }

  /** One request that is answered by a message. @throws NfbridgeError NFB_MISSING when there is none such */
  async get<K extends MessageName>(
    name: K,
    record: MessageRecords[K],
    caller: string,
    subject: string,
  ): Promise<ReplyMessage> {
    const [message] = await this.getAll(name, [{ record, subject, path: '' }], caller)
    if (message) return message
    throw new NfbridgeError({ code: 'NFB_MISSING', operation: caller, message: `${subject}: there is none` })
  }

  /** Several requests in one send, each answered by one message. @throws NfbridgeError NFB_MISSING for the first that is not */
  async getAll<K extends MessageName>(
    name: K,
    requests: readonly {
      readonly record: MessageRecords[K]
      readonly subject: string
      readonly path: string
    }[],
    caller: string,
  ): Promise<ReplyMessage[]> {
    this.#assertOpen(caller)
    if (requests.length === 0) return []
    const packer = new Packer()
    for (const { record } of requests) packer.add(name, 0, record)
    const outcome = await this.#socket.request(packer.words())
    if (failed(outcome))
      throw errorOfAll(
        outcome,
        caller,
        (index, path) => requests[index]?.path || path,
        (index) => requests[index]?.subject,
      )
    return [...unpack(outcome)]
  }

  /** A listing, whole and consistent, read in slices. @param read what a message is; undefined leaves it out */
  async list<K extends MessageName, R>(
    name: K,
    record: MessageRecords[K],
    read: (message: ReplyMessage) => R | undefined,
    caller: string,
  ): Promise<R[]> {
    const packer = new Packer()
    packer.add(name, 0, record)
    const reply = unwrap(await this.#socket.dump(packer.words()), caller, (_, path) => path)
    return inSlices(picked(unpack(reply), read))
  }

  close(): void {
    this.#closed = true
    this.#socket.close()
  }

  /** The socket tells of itself only what is sent by it. */
  #assertOpen(operation: string): void {
    if (!this.#closed) return
    throw new NfbridgeError({ code: 'NFB_CLOSED', operation, message: 'the handle is closed' })
  }
}
