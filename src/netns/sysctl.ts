import { NfbridgeError } from '../errors.js'
import type { Failure } from '../native/addon.js'
import { errorOfAll } from '../native/failure.js'

/** A failure to read or write a setting; the name is what the user knows it by. */
export function sysctlError(failures: readonly Failure[], name: string, operation: string): NfbridgeError {
  const [first] = failures
  if (first?.reason === 'malformed') {
    return new NfbridgeError({
      code: 'NFB_INVALID_NAME',
      operation,
      message: `${JSON.stringify(name)} is not the name of a network setting, such as net.ipv4.ip_forward`,
      path: 'name',
    })
  }
  const error = errorOfAll(failures, operation)
  if (error.code !== 'NFB_MISSING' && error.errno !== 'EINVAL') return error
  return new NfbridgeError({
    code: error.code,
    operation,
    message:
      error.code === 'NFB_MISSING'
        ? `there is no setting ${name} in this namespace`
        : `the kernel does not take this value for ${name}`,
    errno: error.errno,
    cause: error,
  })
}
