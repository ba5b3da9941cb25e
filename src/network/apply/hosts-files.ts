import { joinPath, NfbridgeError } from '../../errors.js'
import type { Touched } from '../plan/elements.js'
import { hasOwnLines, othersLines, withOwnLines } from '../plan/hosts-block.js'
import { hostsText } from '../plan/hosts-lines.js'
import type { ContainerRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import { readHostsFile, removeHostsFile, replaceHostsFile } from './hosts-file.js'
import type { Places, Transition } from './stations.js'
import { type Step, takeBack } from './steps.js'
import type { UnwrittenHostsFile } from './unwritten-hosts-files.js'

/**
 * The step that keeps the hosts files of a change's containers, and of those linked to them, as they should be. One that can't be
 * written fails the call that gives its own container something. It is in no other call's way, least of all in that of one that takes
 * something back: `check` tells of it.
 */
export function hostsFileSteps(
  { registry, unwrittenHostsFiles: unwritten }: Pick<HostContext, 'registry' | 'unwrittenHostsFiles'>,
  { absent, present, change }: Transition,
  touched: Touched,
  places: Places,
): Step[] {
  const candidates = new Set<string>()
  for (const id of change.containers?.keys() ?? []) {
    candidates.add(id)
    for (const client of registry.clientsOf(id)) candidates.add(client)
  }
  for (const [client] of touched.pairs ?? []) candidates.add(client)
  const files = [...candidates].flatMap((id) => changedFile(id, absent, present, places) ?? [])
  if (files.length === 0) return []
  const leaves = `hosts files ${files.map(({ file }) => file).join(', ')}`
  /** What this step put another text in place of; undefined: no file. */
  const replaced = new Map<string, string | undefined>()
  let isApplied = false
  const write = (each: HostsFile, present: string): void => {
    const { file, path } = each
    const before = readHostsFile(file, path)
    replaceHostsFile(file, textWith(each, before, present), path)
    replaced.set(file, before)
    unwritten.delete(file)
  }
  return [
    {
      leaves,
      apply: async () => {
        isApplied = true
        try {
          for (const each of files) {
            const { present } = each
            if (present === undefined) continue
            if (each.isRequired) write(each, present)
            else orTell(unwritten, each, () => write(each, present))
          }
        } catch (error) {
          await takeBack(error, leaves, async () => {
            for (const [file, text] of replaced) putBack(file, text)
          })
        }
      },
      undo: async () => {
        for (const each of files) {
          if (!isApplied) orTell(unwritten, each, () => withdraw(each))
          else if (!replaced.has(each.file)) continue
          else if (each.absent !== undefined) restore(each)
          else putBack(each.file, replaced.get(each.file))
        }
      },
    },
  ]
}

/** Notes a file that can't be written. */
function orTell(unwritten: Map<string, UnwrittenHostsFile>, each: HostsFile, work: () => void): void {
  const { file, container, former, isUnmarked } = each
  try {
    work()
    unwritten.delete(file)
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
    unwritten.set(file, { file, container, former, isUnmarked, reason: error.reason })
  }
}

/** What a file has of ours becomes what it is to have without. */
function withdraw(each: HostsFile): void {
  if (each.absent !== undefined) restore(each)
  else if (each.isForgotten) removeOwn(each)
}

/** The lines of others stay; of a file that an earlier version wrote, there are none until ours are marked. */
function textWith(
  { isUnmarked, former }: Pick<HostsFile, 'isUnmarked' | 'former'>,
  current: string | undefined,
  own: string,
): string {
  const isOurs = isUnmarked && current !== undefined && !hasOwnLines(current)
  return withOwnLines(isOurs ? undefined : current, own, former)
}

/** A file that was not ours before the call is again what it was. */
function putBack(file: string, text: string | undefined): void {
  if (text !== undefined) replaceHostsFile(file, text)
  else removeHostsFile(file)
}

/** Of a container that is forgotten our lines go, and a file in which there is nothing else. */
function removeOwn({ file, former, isUnmarked }: Pick<HostsFile, 'file' | 'former' | 'isUnmarked'>): void {
  const current = readHostsFile(file)
  if (current === undefined || !(isUnmarked || hasOwnLines(current))) return
  const others = hasOwnLines(current) ? othersLines(current, former) : ''
  putBack(file, others === '' ? undefined : others)
}

/**
 * Brings hosts files up to date when the host is opened: a killed process did not come to it, and links to containers that
 * are gone are no more.
 * @returns those that can't be written
 */
export function refreshHostsFiles(view: NetworkView): Map<string, UnwrittenHostsFile> {
  return stillUnwritten(
    [...view.containers].flatMap((container) => unwrittenOf(view, container) ?? []),
    view,
  )
}

/** Writes what could not be written before. @returns what can't be now */
export function retryHostsFiles(
  unwritten: ReadonlyMap<string, UnwrittenHostsFile>,
  view: NetworkView,
): Map<string, UnwrittenHostsFile> {
  return stillUnwritten([...unwritten.values()], view)
}

function unwrittenOf(view: NetworkView, container: ContainerRecord): UnwrittenHostsFile | undefined {
  const { hostsFile: file, name, hostsFileUnmarked } = container
  const own = textOf(view, container)
  if (file === undefined || own === undefined) return undefined
  return { file, container: name, former: own, isUnmarked: hostsFileUnmarked === true, reason: '' }
}

function stillUnwritten(
  files: readonly UnwrittenHostsFile[],
  view: NetworkView,
): Map<string, UnwrittenHostsFile> {
  const left = new Map<string, UnwrittenHostsFile>()
  const containers = new Map([...view.containers].map((each) => [each.hostsFile, each]))
  for (const each of files) {
    const { file } = each
    const container = containers.get(file)
    const own = textOf(view, container)
    try {
      if (own !== undefined) {
        const current = readHostsFile(file)
        const text = textWith(each, current, own)
        if (current !== text) replaceHostsFile(file, text)
      } else if (!container) removeOwn(each)
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
      left.set(file, { ...each, container: container?.name ?? each.container, reason: error.reason })
    }
  }
  return left
}

/** A container's file and our lines in it before and after; undefined: it is left as it is. */
interface HostsFile {
  readonly file: string
  readonly absent: string | undefined
  readonly present: string | undefined
  /** Our lines of both, by which what we wrote is known. */
  readonly former: string
  readonly isUnmarked: boolean
  /** The container is not known in the state without. */
  readonly isForgotten: boolean
  /** Whether the call gives the container itself something: it comes, or gets an interface or a link. */
  readonly isRequired: boolean
  /** The name of the container. */
  readonly container: string
  /** Where the caller gave it, in this call; undefined: in an earlier one. */
  readonly path: string | undefined
}

function changedFile(
  id: string,
  absent: NetworkView,
  present: NetworkView,
  places: Places,
): HostsFile | undefined {
  const before = absent.container(id)
  const after = present.container(id)
  const file = after?.hostsFile ?? before?.hostsFile
  if (file === undefined) return undefined
  const texts = { absent: textOf(absent, before), present: textOf(present, after) }
  if (texts.absent === texts.present && before) return undefined
  const place = before ? undefined : places.get(id)
  return {
    file,
    ...texts,
    former: `${texts.absent ?? ''}${texts.present ?? ''}`,
    isUnmarked: (before ?? after)?.hostsFileUnmarked === true,
    isForgotten: before === undefined,
    isRequired: texts.absent === undefined || sizeOf(after) > sizeOf(before),
    container: (after ?? before)?.name ?? id,
    path: place && joinPath(place.path, 'hostsFile'),
  }
}

/** How many interfaces and links it has. */
function sizeOf(container: ContainerRecord | undefined): number {
  return container ? container.endpoints.length + container.links.length : 0
}

/** Nobody reads the file of a container that is stopped; it is written anew when it starts. */
function textOf(view: NetworkView, container: ContainerRecord | undefined): string | undefined {
  return container?.state === 'running' ? hostsText(view, container) : undefined
}

/** Back to what it was. */
function restore(each: HostsFile): void {
  const { file, absent } = each
  if (absent !== undefined) replaceHostsFile(file, textWith(each, readHostsFile(file), absent))
}
