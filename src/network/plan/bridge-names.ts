/** IFNAMSIZ of linux/if.h, less the terminating NUL. */
const LONGEST_NAME = 15

/**
 * Names of a network's bridges: its own, then `name-1`, `name-2` …, shortened to what an interface's name takes, and without
 * those that somebody has.
 */
export function bridgeNames(network: string, count: number, taken: ReadonlySet<string>): string[] {
  const names = [network]
  for (let number = 1; names.length < count; number += 1) {
    const name = shortened(network, `-${number}`)
    if (!taken.has(name) && !names.includes(name)) names.push(name)
  }
  return names
}

/** By whole characters, which may have several bytes. */
function shortened(name: string, suffix: string): string {
  const characters = [...name]
  while (Buffer.byteLength(characters.join('') + suffix) > LONGEST_NAME) characters.pop()
  return characters.join('') + suffix
}
