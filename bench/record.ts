/**
 * A process that runs what a row measures once, under `record.so`, and says where in the recording each phase begins
 * and ends. Usage: record RECORDING rules|element|elements|attach COUNT
 */
import { existsSync, statSync } from 'node:fs'
import { BridgeHost, Namespace } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { addContainer, networkOptions } from './container.js'
import {
  adding,
  addressSet,
  elements,
  extraAddress,
  linkColumns,
  linkNumbers,
  linkSet,
  rule,
  table,
  tableAndChain,
} from './workloads.js'

/** Where phases begin and end in the recording, in bytes: before the set-up, then after each phase. */
export interface Marks {
  readonly setup: readonly [number, number]
  readonly timed: readonly [number, number]
  readonly undo: readonly [number, number]
  /** Inodes of the namespaces, in decimal; the container's is `0` where there is none. */
  readonly hostInode: string
  readonly containerInode: string
}

const [, , recording = '', what = '', countText = '0'] = process.argv
const count = Number(countText)

const position = (): number => (existsSync(recording) ? statSync(recording).size : 0)

type Phase = () => Promise<unknown>

async function phases(
  steps: readonly [Phase, Phase, Phase],
  host: Namespace,
  container?: Namespace,
): Promise<Marks> {
  const marks = [position()]
  for (const step of steps) {
    await step()
    marks.push(position())
  }
  const [a = 0, b = 0, c = 0, d = 0] = marks
  return {
    setup: [a, b],
    timed: [b, c],
    undo: [c, d],
    hostInode: String(host.inode),
    containerInode: String(container?.inode ?? 0),
  }
}

async function recordRules(): Promise<Marks> {
  const netns = await Namespace.create()
  const nft = await Nft.open({ netns })
  const rules = Array.from({ length: count }, (_, n) => rule(n))
  return phases(
    [
      async () => {},
      () => adding(nft, [...tableAndChain, ...rules]).commit(),
      () => nft.transaction().delete({ table }).commit(),
    ],
    netns,
  )
}

async function recordElements(): Promise<Marks> {
  const netns = await Namespace.create()
  const nft = await Nft.open({ netns })
  const prepared = nft.prepareElements(linkSet, linkColumns)
  const rows = linkNumbers(count)
  return phases(
    [
      async () => {},
      () => adding(nft, [{ table }, linkSet]).addPrepared(prepared, rows).commit(),
      () => nft.transaction().delete({ table }).commit(),
    ],
    netns,
  )
}

async function recordElement(): Promise<Marks> {
  const netns = await Namespace.create()
  const nft = await Nft.open({ netns })
  return phases(
    [
      () => adding(nft, addressSet(count)).commit(),
      () =>
        nft
          .transaction()
          .add(elements([extraAddress]))
          .commit(),
      () =>
        nft
          .transaction()
          .delete(elements([extraAddress]))
          .commit(),
    ],
    netns,
  )
}

async function recordAttach(): Promise<Marks> {
  const [netns, container] = await Promise.all([Namespace.create(), Namespace.create()])
  const host = await BridgeHost.open({ netns })
  const network = await host.createNetwork(networkOptions)
  let endpoint: Awaited<ReturnType<typeof addContainer>> | undefined
  return phases(
    [
      // It comes and goes once before: whatever is made only once belongs to the set-up.
      async () => (await addContainer(network, container)).detach(),
      async () => {
        endpoint = await addContainer(network, container)
      },
      async () => endpoint?.detach(),
    ],
    netns,
    container,
  )
}

const recorders: Readonly<Record<string, () => Promise<Marks>>> = {
  rules: recordRules,
  elements: recordElements,
  element: recordElement,
  attach: recordAttach,
}
const marks = await recorders[what]?.()
process.stdout.write(`${JSON.stringify(marks)}\n`)
process.exit(marks === undefined ? 2 : 0)
