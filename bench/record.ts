/**
 * A process that runs what a row measures once, under `record.so`, and says where in the recording each phase begins
 * and ends. Usage: record RECORDING rules|element|elements|attach|attach-all|publish|open COUNT
 */
import { existsSync, mkdtempSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BridgeHost, Namespace } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import {
  addContainer,
  containerOptions,
  createNamespaces,
  linkedContainers,
  networkOptions,
  publications,
} from './container.js'
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
  /** Inodes of the namespaces, in decimal. */
  readonly hostInode: string
  readonly containerInodes: readonly string[]
}

/** What is recorded. */
export type Recorded = 'rules' | 'elements' | 'element' | 'attach' | 'attach-all' | 'publish' | 'open'

const [, , recording = '', what = '', countText = '0'] = process.argv
const count = Number(countText)

const position = (): number => (existsSync(recording) ? statSync(recording).size : 0)

type Phase = () => Promise<unknown>

async function phases(
  steps: readonly [Phase, Phase, Phase],
  host: Namespace,
  containers: readonly Namespace[] = [],
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
    containerInodes: containers.map(({ inode }) => String(inode)),
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
    [container],
  )
}

async function recordAttachAll(): Promise<Marks> {
  const [netns, containers] = await Promise.all([Namespace.create(), createNamespaces(count)])
  const host = await BridgeHost.open({ netns })
  const network = await host.createNetwork(networkOptions)
  const all = containers.map(containerOptions)
  return phases(
    [
      async () => {
        await network.attachAll(all.slice(0, 1))
        await network.detachAll()
      },
      () => network.attachAll(all),
      () => network.detachAll(),
    ],
    netns,
    containers,
  )
}

async function recordPublish(): Promise<Marks> {
  const [netns, container] = await Promise.all([Namespace.create(), Namespace.create()])
  const host = await BridgeHost.open({ netns })
  const network = await host.createNetwork(networkOptions)
  const endpoint = await addContainer(network, container)
  const ports = publications(count)
  return phases(
    [
      // The container stays; what a publication makes only once belongs to the set-up.
      async () => {
        await endpoint.publish(...ports)
        await endpoint.unpublish(...ports)
      },
      () => endpoint.publish(...ports),
      () => endpoint.unpublish(...ports),
    ],
    netns,
    [container],
  )
}

async function recordOpen(): Promise<Marks> {
  const [netns, containers] = await Promise.all([Namespace.create(), createNamespaces(count)])
  const state = mkdtempSync(join(dirname(recording), 'state-'))
  let host = await BridgeHost.open({ netns, state })
  const network = await host.createNetwork(networkOptions)
  return phases(
    [
      async () => {
        await network.attachAll(linkedContainers(containers))
        await host.close()
      },
      async () => {
        host = await BridgeHost.open({ netns, state })
      },
      () => host.close(),
    ],
    netns,
    containers,
  )
}

const recorders: Readonly<Record<Recorded, () => Promise<Marks>>> = {
  rules: recordRules,
  elements: recordElements,
  element: recordElement,
  attach: recordAttach,
  'attach-all': recordAttachAll,
  publish: recordPublish,
  open: recordOpen,
}
const marks = await new Map(Object.entries(recorders)).get(what)?.()
process.stdout.write(`${JSON.stringify(marks)}\n`)
process.exit(marks === undefined ? 2 : 0)
