import { NfbridgeError } from '../errors.js'
import type { Failure } from '../native/addon.js'
import { errorOfAll } from '../native/failure.js'

/**
 * The file of a setting, below /proc/sys: `net/ipv4/ip_forward`. A name with dots is taken as sysctl(8) takes it; a
 * name with slashes as it is, so that an interface called `eth0.5` can be named.
 */
export function checkSysctl(name: string, operation: string): string {
  const file = name.includes('/') ? name : name.replaceAll('.', '/')
  const parts = file.split('/')
  if (file.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_NAME',
      operation,
      message: `${JSON.stringify(name)} is not the name of a sysctl, such as net.ipv4.ip_forward`,
      path: 'name',
    })
  }
  return file
}

/** A failure to read or write a setting; the name is what the user knows it by. */
export function sysctlError(failures: readonly Failure[], name: string, operation: string): NfbridgeError {
  const error = errorOfAll(failures, operation)
  const missing = error.code === 'NFB_MISSING'
  return new NfbridgeError({
    code: error.code,
    operation,
    message: missing
      ? `there is no sysctl ${name} in this namespace`
      : `sysctl ${name}: ${failures[0]?.message ?? ''}`,
    errno: error.errno,
    cause: error,
  })
}
