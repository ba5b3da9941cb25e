import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NfbridgeError } from '../errors.js'
import type { NativeAddon } from './addon.js'

/** The exports of {@link NativeAddon} by their type: what the binary must have to be the one that this code needs. */
const EXPORTS = {
  schemas: 'object',
  messages: 'object',
  openNamespace: 'function',
  openNamespaceFd: 'function',
  openNamespaceOfProcess: 'function',
  createNamespace: 'function',
  unmountNamespace: 'function',
  encode: 'function',
  decode: 'function',
  lockFile: 'function',
} as const satisfies { readonly [name in keyof NativeAddon]: 'object' | 'function' }

/** Both `src/native/` and `dist/native/` are two levels below the package. */
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** `glibc 2.36`, `musl`, or what else the process says of its C library. */
function libc(): string {
  const report: unknown = process.report?.getReport()
  if (typeof report !== 'object' || report === null) return 'an unknown libc'
  if ('header' in report && typeof report.header === 'object' && report.header !== null) {
    const header = report.header
    if ('glibcVersionRuntime' in header && typeof header.glibcVersionRuntime === 'string') {
      return `glibc ${header.glibcVersionRuntime}`
    }
  }
  const objects: readonly unknown[] =
    'sharedObjects' in report && Array.isArray(report.sharedObjects) ? report.sharedObjects : []
  const loader = objects.find((name) => typeof name === 'string' && /ld-musl-|libc\.musl-/.test(name))
  return loader === undefined ? 'an unknown libc' : 'musl'
}

/** What to do about a binary that does not load. */
function remedy(platform: string): string {
  if (platform !== 'linux') return 'nfbridge runs on Linux only'
  return (
    'install nfbridge again from a version that has a binary for this machine, or build it from a checkout of its ' +
    'repository with `npm run build` (it needs g++, make and python3: `apt install g++ make python3`)'
  )
}

/**
 * The error for an addon that cannot be loaded: platform, architecture, C library and the remedy.
 *
 * @param reason What went wrong, in a few words.
 */
export function loadFailure(reason: string, cause?: unknown): NfbridgeError {
  const machine = `${process.platform}-${process.arch} with ${libc()}, Node.js ${process.versions.node}`
  return new NfbridgeError({
    code: 'NFB_LOAD_FAILED',
    operation: 'load',
    message: `the native addon cannot be used on ${machine}: ${reason}; ${remedy(process.platform)}`,
    cause,
  })
}

/** Whether a value has all that {@link NativeAddon} promises, by name and kind. */
export function isNativeAddon(value: unknown): value is NativeAddon {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(EXPORTS).every(([name, type]) => typeof Reflect.get(value, name) === type)
}

/** Loads the addon that is built in the package at `root`, or its prebuilt binary. Throws `NFB_LOAD_FAILED`. */
export function loadAddon(root: string): NativeAddon {
  let loaded: unknown
  try {
    const load: unknown = createRequire(import.meta.url)('node-gyp-build')
    if (typeof load !== 'function') throw new TypeError('node-gyp-build exports no function')
    loaded = load(root)
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw loadFailure(reason ?? 'it does not load', error)
  }
  if (isNativeAddon(loaded)) return loaded
  throw loadFailure('the binary is of another version of nfbridge')
}

/** The addon. One instance for each JavaScript thread that imports this module. */
export const addon: NativeAddon = loadAddon(PACKAGE_ROOT)
