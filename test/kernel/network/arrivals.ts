/** Which packets get from one namespace to another. */
import { FrameSocket } from '../../../lab/frame-socket.js'
import type { Namespace } from '../../../src/index.js'
import { observe, sendFrames } from './frames.js'

/** What is sent under one name. */
export interface Sending {
  /** One after the other. */
  readonly frames: readonly Uint8Array[]
  /** What tells that it is there: the end of a frame, or of a packet that the kernel put together again. */
  readonly mark: Uint8Array
}

/** TCP, UDP and SCTP: what is for a listener, also when the kernel has put it together. */
const PROTOCOLS = [6, 17, 132]

/** Sends from one namespace's eth0, in order, and tells the names of what arrives at another's. Marks must differ. */
export async function arrivals(
  from: Namespace,
  to: Namespace,
  sent: Readonly<Record<string, Sending>>,
): Promise<string[]> {
  const wanted = Object.entries(sent).map(([name, { mark }]) => ({ name, mark: Buffer.from(mark) }))
  if (new Set(wanted.map(({ mark }) => mark.toString('hex'))).size < wanted.length)
    throw new Error('two marks are the same')
  const frames = FrameSocket.listener(to, 'all', 'eth0')
  const packets = ([4, 6] as const).flatMap((family) =>
    PROTOCOLS.map((protocol) => FrameSocket.raw(to, family, protocol)),
  )
  const seen = new Set<string>()
  await observe(
    [frames, ...packets],
    async () => {
      await sendFrames(
        from,
        'eth0',
        Object.values(sent).flatMap(({ frames }) => frames),
      )
    },
    ({ bytes }) => {
      for (const { name, mark } of wanted)
        if (Buffer.from(bytes.subarray(-mark.length)).equals(mark)) seen.add(name)
    },
  )
  return wanted.flatMap(({ name }) => (seen.has(name) ? [name] : []))
}
