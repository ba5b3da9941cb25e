import { joinPath } from '../../errors.js'
import { checkInteger, checkObject } from '../../input.js'
import type { AdvertiseOptions } from '../options.js'

/** How often addresses of containers that come up are announced, and how many milliseconds lie between. */
export interface AdvertiseRecord {
  readonly count: number
  readonly interval: number
}

/** Docker's bounds of `advertise_addr_nmsgs` and `advertise_addr_ms`, and its defaults. */
const COUNTS = [0, 3] as const
const INTERVALS = [100, 2000] as const
const DEFAULT: AdvertiseRecord = { count: 3, interval: 1000 }

/** What a network's record has of it: absent where nothing was asked for. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function parseAdvertise(
  given: AdvertiseOptions | undefined,
  operation: string,
  path = 'advertise',
): { readonly advertise?: AdvertiseRecord } {
  if (given === undefined) return {}
  const { count = DEFAULT.count, interval = DEFAULT.interval } = checkObject(
    given,
    ['count', 'interval'],
    operation,
    path,
  )
  return {
    advertise: {
      count: checkInteger(count, [...COUNTS], operation, joinPath(path, 'count')),
      interval: checkInteger(interval, [...INTERVALS], operation, joinPath(path, 'interval')),
    },
  }
}
