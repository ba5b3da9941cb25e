import { addressFromBytes, Cidr, type IPAddress, MacAddress, parseAddress } from '../address/index.js'
import { joinPath, NfbridgeError } from '../errors.js'
import { checkInterfaceName } from './names.js'
import { Family } from './numbers.js'

/** An interface: its name, or its index, which spares the library a request to find it. */
export type Device = string | number

/** Finds the index for a device; `path` is where the caller named it. */
export type ResolveDevice = (device: Device, path: string) => number

export function toAddress(value: IPAddress | string, path: string): IPAddress {
  return typeof value === 'string' ? parseAddress(value, path) : value
}

/** An address with its network's prefix length, `172.17.0.5/16`. */
export function toInterfaceAddress(value: Cidr | string, path: string): Cidr {
  return typeof value === 'string' ? Cidr.parseInterface(value, path) : value
}

/** A network; host bits must be zero. */
export function toNetwork(value: Cidr | string, path: string): Cidr {
  return typeof value === 'string' ? Cidr.parse(value, path) : value
}

export function toMac(value: MacAddress | string, path: string): MacAddress {
  return typeof value === 'string' ? MacAddress.parse(value, path) : value
}

/** AF_INET or AF_INET6. */
export function familyNumber(family: 4 | 6): number {
  return family === 4 ? Family.ipv4 : Family.ipv6
}

export function readMac(bytes: Uint8Array | undefined): MacAddress | undefined {
  return bytes?.length === 6 ? MacAddress.fromBytes(bytes) : undefined
}

export function readAddress(bytes: Uint8Array | undefined): IPAddress | undefined {
  return bytes?.length === 4 || bytes?.length === 16 ? addressFromBytes(bytes) : undefined
}

/** An interface's index: a positive integer of 31 bits. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function checkIndex(index: number, operation: string, path: string): number {
  if (Number.isInteger(index) && index > 0 && index < 2 ** 31) return index
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: `${String(index)} is no index of an interface`,
    path,
  })
}

/** A name or an index. @throws NfbridgeError NFB_INVALID_NAME, NFB_INVALID_ARGUMENT */
export function checkDevice(device: Device, operation: string, path: string): Device {
  return typeof device === 'number'
    ? checkIndex(device, operation, path)
    : checkInterfaceName(device, operation, path)
}

/**
 * Refuses what is no object and properties that are not known: a misspelt one that is passed over would be a trap.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT
 */
export function checkProperties(
  value: object,
  known: readonly string[],
  operation: string,
  path: string,
): void {
  if (typeof value !== 'object' || value === null) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: 'an object is expected',
      path,
    })
  }
  for (const name in value) {
    if (known.includes(name)) continue
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: `there is no "${name}", only ${known.join(', ')}`,
      path: joinPath(path, name),
    })
  }
}

/** Copies without the properties that are undefined, as `exactOptionalPropertyTypes` wants it. */
export function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  const result: Partial<T> = {}
  for (const name in value) {
    const property = value[name]
    if (property !== undefined) result[name] = property
  }
  return result as T
}
