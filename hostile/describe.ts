/** What happened, in a few words: failures that agree in them are told once. */
import type { Event } from './event.js'
import type { Station } from './world.js'

export function description({ sender, place, frame, ip }: Event, reason: string): string {
  const from = sender.on === undefined ? sender.name : `a container of ${sender.on.kind.name}`
  const type = frame === undefined ? '' : ` type 0x${frame.type.toString(16).padStart(4, '0')}`
  const what = ip === undefined ? `a frame of${type}` : `IPv${ip.family}`
  switch (place.kind) {
    case 'stack':
      return `${what} from ${from} reaches the host's protocols by ${deviceText(place.device)}: ${reason}`
    case 'socket':
      return `${what} from ${from} reaches sockets of the host by ${deviceText(place.device)}: ${reason}`
    case 'station':
      return `${what} from ${from} reaches ${stationText(sender, place.station)}: ${reason}`
  }
}

function deviceText(name: string): string {
  return name.startsWith('veth') ? "the container's port" : name
}

/** Not whom of a network: what one of its containers is reached by reaches the others as well. */
function stationText(sender: Station, { name, on }: Station): string {
  if (on === undefined) return name
  return on.kind === sender.on?.kind ? 'another container of its network' : `a container of ${on.kind.name}`
}

/** Lines of `changes` without what is another in each world: ports have other names there, and other MACs. */
export function changeTexts(lines: readonly string[]): string[] {
  const texts = lines.map((line) =>
    line.replace(/veth\w+/g, 'a port').replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC'),
  )
  return [...new Set(texts)]
}
