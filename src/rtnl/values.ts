import {
  addressFromBytes,
  Cidr,
  type IPAddress,
  IPv4Address,
  IPv6Address,
  MacAddress,
  parseAddress,
} from '../address/index.js'
import { NfbridgeError } from '../errors.js'
import { checkInterfaceName } from './names.js'
import { Family } from './numbers.js'

/** An interface: its name, or its index, which spares the library a request to find it. */
export type Device = string | number

/** Finds the index for a device; `path` is where the caller named it. */
export type ResolveDevice = (device: Device, path: string) => number

export function toAddress(value: IPAddress | string, path: string): IPAddress {
  if (value instanceof IPv4Address || value instanceof IPv6Address) return value
  return parseAddress(value, path)
}

/** An address with its network's prefix length, `172.17.0.5/16`. */
export function toInterfaceAddress(value: Cidr | string, path: string): Cidr {
  return value instanceof Cidr ? value : Cidr.parseInterface(value, path)
}

/** A network; host bits must be zero. */
export function toNetwork(value: Cidr | string, path: string): Cidr {
  return value instanceof Cidr ? value : Cidr.parse(value, path)
}

export function toMac(value: MacAddress | string, path: string): MacAddress {
  return value instanceof MacAddress ? value : MacAddress.parse(value, path)
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

/** Copies without the properties that are undefined, as `exactOptionalPropertyTypes` wants it. */
export function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  const result: Partial<T> = {}
  for (const name in value) {
    const property = value[name]
    if (property !== undefined) result[name] = property
  }
  return result as T
}
