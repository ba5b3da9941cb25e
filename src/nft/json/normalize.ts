/** Forms that libnftables reads or nft prints, and the model says in one way only. */

type Node = { readonly [key: string]: unknown }

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const asList = (value: unknown): unknown => (value === undefined || Array.isArray(value) ? value : [value])

/** An object of a ruleset with one value where a list is expected made a list of one, and the like. */
export function normalizeObject(kind: string, given: unknown): unknown {
  if (!isNode(given)) return given
  // `"policy": null`: what there is not.
  const object = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  switch (kind) {
    case 'table':
      return changed(object, { flags: tableFlags(object.flags) })
    case 'set':
    case 'map':
      return changed(object, {
        flags: asList(object.flags),
        elem: asList(object.elem),
        map: mapType(object.map),
        ranges: object.ranges ?? givesRanges(object.elem),
      })
    case 'element':
      return changed(object, { elem: asList(object.elem), flags: asList(object.flags) })
    default:
      return object
  }
}

/** nft 1.0.6 prints the last letter of the flag `dormant` only. */
function tableFlags(flags: unknown): unknown {
  return flags === 't' ? ['dormant'] : asList(flags)
}

/** nft 1.0.6 prints a concatenation that a map gives as text: `ipv4_addr . inet_service`. */
function mapType(map: unknown): unknown {
  return typeof map === 'string' && map.includes(' . ') ? map.split(' . ') : map
}

/** nft's JSON does not say that a map gives ranges: its elements do. */
function givesRanges(elements: unknown): true | undefined {
  const isRange = (value: unknown): boolean => isNode(value) && ('range' in value || 'prefix' in value)
  const some = Array.isArray(elements) && elements.some((each) => Array.isArray(each) && isRange(each[1]))
  return some ? true : undefined
}

function changed(object: Node, properties: Node): Node {
  const present = Object.entries(properties).filter(([, value]) => value !== undefined)
  return { ...object, ...Object.fromEntries(present) }
}
