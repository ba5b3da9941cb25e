/** How many connections of a container the host tracks at once, and how many begin in a second. */
import type { IPAddress } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import { checkInteger } from '../../input.js'
import type { ConnectionLimitOptions } from '../options.js'
import { ofFamily, type SetElement } from './elements.js'
import type { ContainerRecord, Family } from './records.js'

/** Limits that were asked for; absent: the host's default, and none. */
export interface ConnectionLimits {
  readonly maxConnections?: number | 'unlimited'
  readonly newConnectionsPerSecond?: number
}

/** The properties of {@link ConnectionLimitOptions}. */
export const CONNECTION_PROPERTIES: readonly string[] = [
  'maxConnections',
  'newConnectionsPerSecond',
] satisfies (keyof ConnectionLimitOptions)[]

const MOST = 0xffff_ffff

/**
 * The kernel counts with a list of connections, and looks through the whole of it when one begins, once in each tick of its clock
 * (nf_conncount_add): of 16,000 that is 0.6 ms. More than so many are counted in as many lists as there are slots, each its part. So many
 * connections in a row take the same list, by turns: what begins within a tick has one or two looked through. (By lot it had all of them.)
 */
const MOST_IN_ONE_LIST = 1024
export const CONNECTION_SLOTS = 16
export const CONNECTIONS_IN_A_ROW = 128

/**
 * The default where the kernel has room for so many in all: a sixteenth. Whoever takes all that it may leaves fifteen parts to the host and
 * the others, and on a machine with 4 GB or more (262,144) it is 16,384, which few that serve thousands at once need more than.
 */
export function defaultConnections(room: number): number {
  return Math.max(Math.floor(room / 16), 1)
}

/** @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function parseConnectionLimits(
  { maxConnections: most, newConnectionsPerSecond: begin }: ConnectionLimitOptions,
  operation: string,
  path: string,
): ConnectionLimits {
  const whole = (value: unknown, property: string): number =>
    checkInteger(value, [1, MOST], operation, joinPath(path, property))
  return {
    ...(most !== undefined && {
      maxConnections: most === 'unlimited' ? most : whole(most, 'maxConnections'),
    }),
    ...(begin !== undefined && { newConnectionsPerSecond: whole(begin, 'newConnectionsPerSecond') }),
  }
}

/** Of what a container has, these alone. */
export function connectionLimitsOf({
  maxConnections,
  newConnectionsPerSecond,
}: ConnectionLimits): ConnectionLimits {
  return {
    ...(maxConnections !== undefined && { maxConnections }),
    ...(newConnectionsPerSecond !== undefined && { newConnectionsPerSecond }),
  }
}

/** What the rules know of one address of a container. @param standard the host's default; undefined: the kernel counts none */
export function connectionElements(
  { maxConnections, newConnectionsPerSecond }: Pick<ContainerRecord, keyof ConnectionLimits>,
  standard: number | undefined,
  { family, address }: { readonly family: Family; readonly address: IPAddress },
): SetElement[] {
  const text = address.toString()
  const most = standard === undefined ? 'unlimited' : (maxConnections ?? standard)
  const rate: SetElement[] =
    newConnectionsPerSecond === undefined
      ? []
      : [
          {
            set: ofFamily('connection_rates', family),
            key: [text],
            limit: { perSecond: newConnectionsPerSecond },
          },
        ]
  if (most === 'unlimited') return rate
  if (most <= MOST_IN_ONE_LIST)
    return [...rate, { set: ofFamily('connections', family), key: [text], limit: { connections: most } }]
  const part = (slot: number): number => Math.floor((most + slot) / CONNECTION_SLOTS)
  return [
    ...rate,
    ...Array.from(
      { length: CONNECTION_SLOTS },
      (_, slot): SetElement => ({
        set: ofFamily('connection_slots', family),
        key: [text, slot * CONNECTIONS_IN_A_ROW],
        limit: { connections: part(slot) },
      }),
    ),
  ]
}
