import { Cidr, type Publication, parsePublication } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray } from '../../input.js'
import type { PublishOption } from '../options.js'
import { type PublishedPort, publishedText } from './records.js'

/** A publication as it was asked for. */
export interface RequestedPublication {
  /** With `automatic` the host's ports are still to be chosen: as many as the container's. */
  readonly port: PublishedPort
  readonly automatic: boolean
  /** Where it stands in the caller's input. */
  readonly path: string
}

const OPERATION = 'Container.publish'

/** Each publication once. @throws NfbridgeError NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT */
export function parsePublished(publish: readonly PublishOption[], path: string): RequestedPublication[] {
  const requested = new Map<string, RequestedPublication>()
  checkArray(publish, OPERATION, path).forEach((option, index) => {
    const publication = parsePublishOption(option, joinPath(path, index))
    requested.set(`${publishedText(publication.port)} ${publication.automatic}`, publication)
  })
  return [...requested.values()]
}

/**
 * One publication. A port of the host is chosen where none is given: `80`, `127.0.0.1::80`, `8000-8009/udp`, as Docker writes
 * it, or an object with the host port 0.
 */
export function parsePublishOption(option: PublishOption, path: string): RequestedPublication {
  const explicit = withHostPorts(option)
  const { hostAddress, ...ports } = parsePublication(explicit ?? option, path)
  return {
    port: { ...ports, hostAddress: publishedAddress(hostAddress, path) },
    automatic: explicit !== undefined,
    path,
  }
}

/** A publication without host ports, with the container's in their place; undefined where it has some. */
function withHostPorts(option: PublishOption): PublishOption | undefined {
  if (typeof option === 'string') {
    const [, address, ports, protocol = ''] =
      /^(?:(\[[^\]]*\]|[^:[\]]*)::)?([0-9-]+)(\/.*)?$/.exec(option) ?? []
    if (ports === undefined) return undefined
    return `${address ? `${address}:` : ''}${ports}:${ports}${protocol}`
  }
  // What is no object is told by the parser.
  if (typeof option !== 'object' || option === null || option.hostPort !== 0) return undefined
  return { ...option, hostPort: option.containerPort }
}

/** "This network", multicast, reserved and broadcast, and link-local, of which each interface has its own (RFC 6890, RFC 4291). */
const NO_HOSTS = ['0.0.0.0/8', '224.0.0.0/3', 'fe80::/10', 'ff00::/8'].map((text) => Cidr.parse(text))

/** 0.0.0.0 is every address, as Docker writes it. */
function publishedAddress(address: Publication['hostAddress'], path: string): Publication['hostAddress'] {
  if (address === undefined) return undefined
  if (BigInt(address.value) !== 0n) {
    const special = NO_HOSTS.find((reserved) => reserved.contains(address))
    if (!special) return address
    throw new NfbridgeError({
      code: 'NFB_INVALID_ADDRESS',
      operation: OPERATION,
      message: `${address}: no port is published on addresses of ${special}`,
      path,
    })
  }
  if (address.family === 4) return undefined
  throw new NfbridgeError({
    code: 'NFB_INVALID_ADDRESS',
    operation: OPERATION,
    message: '[::] is no address of the host; leave it out to publish on every address of both families',
    path,
  })
}
