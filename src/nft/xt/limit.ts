/** `limit`: linux/netfilter/xt_limit.h. What the kernel counts with is behind these two numbers, and not told. */
import type { XtLimit } from '../model/index.js'
import { option, options, type XtExtension } from './codec.js'
import { structure, u32 } from './layout.js'

const info = structure(40, { average: u32(0), burst: u32(4) })
const UNITS = { second: 10_000, minute: 600_000, hour: 36_000_000, day: 864_000_000 } as const

/** The shortest unit in which the rate is a whole number: 3/min. */
function rateOf(average: number): { readonly rate: number; readonly per: keyof typeof UNITS } {
  const pairs = Object.entries(UNITS) as [keyof typeof UNITS, number][]
  for (const [per, unit] of pairs)
    if (average <= unit && unit % average === 0) return { rate: unit / average, per }
  const [per, unit] = pairs.find(([, each]) => average <= each) ?? (['day', UNITS.day] as const)
  return { rate: Math.max(1, Math.floor(unit / Math.max(1, average))), per }
}

export const limit: XtExtension<XtLimit> = {
  codecs: [
    { rev: 0, size: info.size, read: (bytes) => info.read(bytes), write: (options) => info.write(options) },
  ],
  text: ({ average, burst }) => {
    const { rate, per } = rateOf(average)
    return options(option('limit', `${rate}/${per}`), option('limit-burst', String(burst)))
  },
  meaning: ({ average, burst }) => [{ limit: { ...rateOf(average), burst } }],
}
