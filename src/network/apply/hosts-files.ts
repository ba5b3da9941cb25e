import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { Touched } from '../plan/elements.js'
import { hostsText } from '../plan/hosts-lines.js'
import type { ContainerRecord } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import type { NetworkView } from '../plan/view.js'
import type { Places, Transition } from './stations.js'
import { type Step, takeBack } from './steps.js'

/** The step that keeps the hosts files of a change's containers, and of those linked to them, as they should be. */
export function hostsFileSteps(
  registry: Registry,
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
  const undo = async (): Promise<void> => {
    for (const each of files) restore(each)
    for (const { file, absent } of files) {
      if (absent === undefined && replaced.has(file)) putBack(file, replaced.get(file))
    }
  }
  return [
    {
      leaves,
      apply: async () => {
        try {
          for (const { file, absent, present, path } of files) {
            if (present === undefined) continue
            const before = absent ?? readIfThere(file)
            replaceFile(file, present, path)
            replaced.set(file, before)
          }
        } catch (error) {
          await takeBack(error, leaves, async () => {
            for (const [file, text] of replaced) putBack(file, text)
          })
        }
      },
      undo,
    },
  ]
}

/** A file that was not ours before the call is again what it was. */
function putBack(file: string, text: string | undefined): void {
  if (text === undefined) rmSync(file, { force: true })
  else replaceFile(file, text)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Whatever is in the way is said when it is written.
    return undefined
  }
}

/**
 * Brings hosts files up to date when the host is opened: a killed process did not come to it, and links to containers that
 * are gone are no more. One that can't be written is written with its next change, which says why it can't.
 */
export function refreshHostsFiles(view: NetworkView): void {
  for (const container of view.containers) {
    const { hostsFile: file } = container
    if (file === undefined) continue
    const text = textOf(view, container)
    if (text === undefined || readIfThere(file) === text) continue
    try {
      replaceFile(file, text)
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
    }
  }
}

/** A container's file and what is in it before and after; undefined: it is left as it is. */
interface HostsFile {
  readonly file: string
  readonly absent: string | undefined
  readonly present: string | undefined
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
  if (texts.absent === texts.present) return undefined
  const place = before ? undefined : places.get(id)
  return { file, ...texts, path: place && joinPath(place.path, 'hostsFile') }
}

/** Nobody reads the file of a container that is stopped; it is written anew when it starts. */
function textOf(view: NetworkView, container: ContainerRecord | undefined): string | undefined {
  return container?.state === 'running' ? hostsText(view, container) : undefined
}

/** Back to what it was; with its directory gone, the container is gone with all that reads it. */
function restore({ file, absent }: HostsFile): void {
  if (absent === undefined) return
  try {
    replaceFile(file, absent)
  } catch (error) {
    if (!(error instanceof NfbridgeError) || error.errno !== 'ENOENT') throw error
  }
}

/** Replaces a file as a whole: a reader finds the old text or the new one, never half. Its mode stays, and so do links to it. */
function replaceFile(given: string, text: string, path?: string): void {
  try {
    const file = resolved(given)
    const mode = modeOf(file)
    const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`)
    try {
      writeFileSync(draft, text, { mode, flag: 'wx' })
      // What the process' mask took away.
      chmodSync(draft, mode)
      renameSync(draft, file)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  } catch (error) {
    throw fileError(given, error, path)
  }
}

function resolved(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return file
  }
}

function modeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? 0o644 : found.mode & 0o7777
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function fileError(file: string, error: unknown, path: string | undefined): NfbridgeError {
  const errno = errnoOf(error)
  return new NfbridgeError({
    code:
      errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS'
        ? 'NFB_NOT_PERMITTED'
        : 'NFB_INVALID_ARGUMENT',
    operation: 'hostsFile',
    message: `can't write the hosts file ${file}: ${error instanceof Error ? error.message : String(error)}`,
    errno,
    path,
    cause: error,
  })
}
