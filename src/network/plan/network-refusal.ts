import { type ErrorCode, NfbridgeError } from '../../errors.js'

export const CREATE = 'BridgeHost.createNetwork'

/** Why a network is not made, and by which of its options. */
export function refuseNetwork(code: ErrorCode, message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code, operation: CREATE, message, path })
}
