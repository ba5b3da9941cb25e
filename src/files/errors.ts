import { constants } from 'node:os'

/** `ENOENT`, of an error of `node:fs`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Its number, positive. */
export function errnoNumberOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? -error.errno : 0
}

/** An error like those of `node:fs`, of what the kernel would have done and we don't. */
export function fileError(code: keyof typeof constants.errno, message: string): Error {
  return Object.assign(new Error(message), { code, errno: -constants.errno[code] })
}

/** Runs work on a file by a path that only this process knows; an error has the one that its reader knows. */
export function naming<T>(path: string, named: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = errnoOf(error)
    if (path === named || code === undefined || !(error instanceof Error)) throw error
    const number = 'errno' in error ? error.errno : undefined
    throw Object.assign(new Error(error.message.replaceAll(path, named), { cause: error }), {
      code,
      errno: number,
    })
  }
}
