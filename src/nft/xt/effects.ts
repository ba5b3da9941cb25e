/** Targets that decide nothing about the packet's way: CT, LOG, TCPMSS. */
import { encodeText, InvalidValue } from '../datatype/index.js'
import type { XtCtTarget, XtLog, XtTcpmss } from '../model/index.js'
import { hex, option, options, type XtCodec, type XtExtension } from './codec.js'
import { structure, text, u8, u16 } from './layout.js'

const PREFIX = 30
const logInfo = structure(32, { level: u8(0), flags: u8(1), prefix: text(2, PREFIX) })

export const log: XtExtension<XtLog> = {
  codecs: [
    {
      rev: 0,
      size: logInfo.size,
      read: (bytes) => logInfo.read(bytes),
      write: (options) => {
        if (encodeText(options.prefix).length >= PREFIX)
          throw new InvalidValue(`a prefix has at most ${PREFIX - 1} bytes`)
        return logInfo.write(options)
      },
    },
  ],
  text: ({ level, flags, prefix }) =>
    options(
      option('log-prefix', prefix === '' ? undefined : JSON.stringify(prefix)),
      option('log-level', level === 4 ? undefined : String(level)),
      flags === 0 ? '' : `flags ${hex(flags)}`,
    ),
  meaning: () => [],
}

const mssInfo = structure(2, { mss: u16(0) })
/** XT_TCPMSS_CLAMP_PMTU */
const CLAMP = 0xffff

export const tcpmss: XtExtension<XtTcpmss> = {
  codecs: [
    {
      rev: 0,
      size: mssInfo.size,
      read: (bytes) => {
        const { mss } = mssInfo.read(bytes)
        return mss === CLAMP ? {} : { 'set-mss': mss }
      },
      write: ({ 'set-mss': mss = CLAMP }) => mssInfo.write({ mss }),
    },
  ],
  text: ({ 'set-mss': mss }) => (mss === undefined ? '--clamp-mss-to-pmtu' : option('set-mss', String(mss))),
  meaning: () => [],
}

/** struct xt_ct_target_info and, with a timeout, xt_ct_target_info_v1; a pointer of the kernel's is at the end. */
const CtFlags = { notrack: 1, alias: 2 } as const
const shared = { flags: u16(0), zone: u16(2), helper: text(12, 16) }
const plainInfo = structure(40, { ...shared })
const timedInfo = structure(72, { ...shared, timeout: text(28, 32) })

function ctOptions({
  flags,
  zone,
  helper,
}: {
  flags: number
  zone: number
  helper: string
}): XtCtTarget | undefined {
  if ((flags & ~(CtFlags.notrack | CtFlags.alias)) !== 0) return undefined
  return {
    ...((flags & CtFlags.notrack) !== 0 && { notrack: true }),
    ...((flags & CtFlags.alias) !== 0 && { alias: true }),
    ...(zone !== 0 && { zone }),
    ...(helper !== '' && { helper }),
  }
}

const ctValues = ({ notrack, alias, zone = 0, helper = '' }: XtCtTarget) => ({
  flags: (notrack ? CtFlags.notrack : 0) | (alias ? CtFlags.alias : 0),
  zone,
  helper,
})

const timed = (rev: 1 | 2): XtCodec<XtCtTarget> => ({
  rev,
  size: timedInfo.size,
  read: (bytes) => {
    const { timeout, ...rest } = timedInfo.read(bytes)
    const options = ctOptions(rest)
    return options && { ...options, ...(timeout !== '' && { timeout }) }
  },
  write: ({ timeout = '', ...rest }) => timedInfo.write({ ...ctValues(rest), timeout }),
})

export const ct: XtExtension<XtCtTarget> = {
  codecs: [
    {
      rev: 0,
      size: plainInfo.size,
      read: (bytes) => ctOptions(plainInfo.read(bytes)),
      write: (options) => {
        if (options.timeout !== undefined) throw new InvalidValue('revision 0 of CT has no timeout')
        return plainInfo.write(ctValues(options))
      },
    },
    timed(1),
    timed(2),
  ],
  text: ({ notrack, zone, helper, timeout }) =>
    options(
      notrack ? '--notrack' : '',
      option('zone', zone === undefined ? undefined : String(zone)),
      option('helper', helper),
      option('timeout', timeout),
    ),
  meaning: ({ notrack, zone }) => {
    if (notrack) return [{ notrack: null }]
    return zone === undefined ? [] : [{ mangle: { key: { ct: { key: 'zone' } }, value: zone } }]
  },
}
