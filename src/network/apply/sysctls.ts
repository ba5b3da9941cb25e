import { NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import type { Persistence } from './persistence.js'

/** Settings of the host that we change: what they were before is remembered beyond this process, and given back. */
export class Sysctls {
  readonly #namespace: Pick<Namespace, 'readSysctl' | 'writeSysctl'>
  readonly #persistence: Pick<Persistence, 'saveSysctl'>
  readonly #before: Map<string, string>

  constructor(
    namespace: Pick<Namespace, 'readSysctl' | 'writeSysctl'>,
    persistence: Pick<Persistence, 'saveSysctl'>,
    remembered: ReadonlyMap<string, string>,
  ) {
    this.#namespace = namespace
    this.#persistence = persistence
    this.#before = new Map(remembered)
  }

  /** What a setting was before we changed it; undefined: we did not. */
  before(name: string): string | undefined {
    return this.#before.get(name)
  }

  /** Names of the settings that we changed. */
  get changed(): string[] {
    return [...this.#before.keys()]
  }

  read(name: string): Promise<string> {
    return this.#namespace.readSysctl(name)
  }

  /** Undefined where there is no such setting: the kernel has no IPv6, or the interface went. */
  async readIfThere(name: string): Promise<string | undefined> {
    try {
      return await this.read(name)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /** Writes a value that is not to be given back: it goes with its interface. */
  write(name: string, value: string): Promise<void> {
    return writeSetting(this.#namespace, name, value)
  }

  /** Writes a value that one can do without, where it can be written. */
  writeIfWritable(name: string, value: string): Promise<void> {
    return writeIfWritable(this.#namespace, name, value)
  }

  /** Changes a setting and remembers what it was; one that has the value already stays as it is. */
  async change(name: string, value: string): Promise<void> {
    const now = await this.read(name)
    if (now === value) return
    // Remembered first: killed in between, we would give back what is there anyway.
    this.keep(name, now)
    await this.write(name, value)
  }

  /** Remembers a value that is to be given back. What is remembered already is older, and stays. */
  keep(name: string, before: string): void {
    if (this.#before.has(name)) return
    this.#persistence.saveSysctl(name, before)
    this.#before.set(name, before)
  }

  /** Gives a setting back, if it was changed and its interface is still there. */
  async restore(name: string): Promise<void> {
    const before = this.#before.get(name)
    if (before === undefined) return
    try {
      await this.write(name, before)
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
    }
    this.forget(name)
  }

  forget(name: string): void {
    if (!this.#before.has(name)) return
    this.#persistence.saveSysctl(name, undefined)
    this.#before.delete(name)
  }
}

/**
 * Writes a setting. Where /proc/sys can't be written, as in most containers, one that has the value already is as good.
 * @throws NfbridgeError NFB_READ_ONLY, which names what is to be set by who can
 */
export async function writeSetting(
  namespace: Pick<Namespace, 'readSysctl' | 'writeSysctl'>,
  name: string,
  value: string,
): Promise<void> {
  try {
    await namespace.writeSysctl(name, value)
  } catch (error) {
    if (!(error instanceof NfbridgeError) || !isUnwritable(error)) throw error
    if ((await namespace.readSysctl(name)) === value) return
    if (error.code !== 'NFB_READ_ONLY') throw error
    throw readOnly(name, value, error)
  }
}

/** What has to be set, and by whom. */
export function readOnly(name: string, value: string, cause: NfbridgeError): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_READ_ONLY',
    operation: cause.operation,
    message: `${name} has to be ${value}, and /proc/sys is mounted read-only: ${remedyFor(name, value)}`,
    errno: cause.errno,
    cause,
  })
}

/** The same for a setting that one can do without: nothing where it can't be written. */
export async function writeIfWritable(
  namespace: Pick<Namespace, 'readSysctl' | 'writeSysctl'>,
  name: string,
  value: string,
): Promise<void> {
  try {
    await writeSetting(namespace, name, value)
  } catch (error) {
    if (!(error instanceof NfbridgeError) || !isUnwritable(error)) throw error
  }
}

function isUnwritable({ code }: NfbridgeError): boolean {
  return code === 'NFB_READ_ONLY' || code === 'NFB_NOT_PERMITTED'
}

/** New interfaces begin with what `default` has. */
function remedyFor(name: string, value: string): string {
  const [, head, device, tail] =
    /^(net\/ipv[46]\/conf)\/([^/]+)\/(\w+)$/.exec(name.includes('/') ? name : '') ?? []
  const ofNew = device !== undefined && device !== 'all' && device !== 'default'
  const setting = ofNew ? `${head}/default/${tail}` : name.replaceAll('.', '/')
  return `who started this container sets ${setting.replaceAll('/', '.')}=${value} before (docker run --sysctl), or mounts it writable`
}
