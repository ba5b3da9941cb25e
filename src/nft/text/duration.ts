/** A time as nft writes it: `1d2h3m4s500ms`. */
export function duration(seconds: number): string {
  const units: readonly (readonly [name: string, milliseconds: number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ]
  let rest = Math.round(seconds * 1000)
  let text = ''
  for (const [name, size] of units) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${name}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}
