import { unwrap } from '../../src/native/failure.js'
import { MessageFlag, Packer } from '../../src/native/pack.js'
import type { MessageName, MessageRecords } from '../../src/native/records.js'
import { unpack } from '../../src/native/unpack.js'
import type { Namespace } from '../../src/netns/index.js'

/** The kernel's own records of one kind, as they are dumped: beneath what any program makes of them. */
export async function dumpRecords<Q extends MessageName, A extends MessageName>(
  namespace: Namespace,
  question: Q,
  answer: A,
  record: MessageRecords[Q],
): Promise<MessageRecords[A][]> {
  const socket = await namespace.openSocket('netfilter')
  try {
    const packer = new Packer()
    packer.add(question, MessageFlag.dump, record)
    const reply = unwrap(await socket.dump(packer.words()), 'test.dump')
    const records: MessageRecords[A][] = []
    // The name says which record it is; the types cannot follow a name that is a parameter.
    for (const message of unpack(reply))
      if (message.name === answer) records.push(message.record as MessageRecords[A])
    return records
  } finally {
    socket.close()
  }
}

const KEY_TYPEOF = 3
const DATA_TYPEOF = 4

/** A set's user data without the `typeof` entries, which nft 1.0.6 writes for concatenations although they are empty. */
export function withoutTypeof(userdata: Uint8Array | undefined): number[][] {
  const entries: number[][] = []
  const bytes = Array.from(userdata ?? [])
  for (let at = 0; at + 1 < bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
    const entry = bytes.slice(at, at + 2 + (bytes[at + 1] ?? 0))
    if (entry[0] !== KEY_TYPEOF && entry[0] !== DATA_TYPEOF) entries.push(entry)
  }
  return entries
}
