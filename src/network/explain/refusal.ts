/** Why a rule of ours stopped a packet, in the words of networks, containers and links; and what would change it. */
import type { Step } from '../../explain/index.js'
import { familyOf, linkablePorts, type NetworkRecord, portText } from '../plan/records.js'
import type { Subjects } from './subjects.js'

/** Two sentences. */
export interface Words {
  readonly because: string
  readonly remedy: string
}

/** @returns undefined for a rule that says nothing about networks: its own text is the best there is */
export function refusalBy(step: Step, subjects: Subjects): Words | undefined {
  if (step.family === 'bridge') return step.chain === 'senders' ? sender(subjects) : withoutLink(subjects)
  switch (step.chain) {
    case 'same_network':
      return withoutLink(subjects)
    case 'from_internal':
    case 'from_internal_to_host':
    case 'from_lan_to_host':
      return fromInternal(subjects)
    case 'input':
      return subjects.source ? fromInternal(subjects) : undefined
    case 'other_network':
      return isolated(step, subjects)
    case 'inbound':
      return notOpen(subjects)
    case 'forward':
      return {
        because: `the host forwards only what concerns its containers: its forward policy is drop (${subjects.from} to ${subjects.to})`,
        remedy:
          "open the host with forwardPolicy: 'accept' or 'leave', or accept it by host.userRules.forward",
      }
    case 'postrouting':
      return {
        because: `the host forwards only what concerns its containers, and this goes back to the bridge that it came from (${subjects.from} to ${subjects.to})`,
        remedy: "open the host with forwardPolicy: 'accept' or 'leave'",
      }
    case 'towards_container':
    case 'towards_container6':
      return {
        because: `${subjects.target?.name ?? 'the bridge'} is an adopted bridge, and its network is closed (icc is false): the host routes back to it only what is from or for an address of a container (${subjects.from} to ${subjects.to})`,
        remedy: 'send it to that machine itself, not by the host; or open the network: update({ icc: true })',
      }
    case 'prerouting':
      return {
        because: `${subjects.packet.destination} is a loopback address: nobody but the host itself reaches what is published there`,
        remedy: 'publish the port on another address of the host, or on all',
      }
    default:
      return undefined
  }
}

function withoutLink(subjects: Subjects): Words {
  const { client, server, port, from, to, service } = subjects
  const network = subjects.target ?? subjects.source
  const closed = `icc of ${network?.name ?? 'the network'} is false`
  const open = network ? `network('${network.name}').update({ icc: true })` : 'icc: true'
  if (!client || !server)
    return {
      because: `${from} has no link to ${to}, and ${closed}`,
      remedy: `${open} opens all between them`,
    }
  const linked = client.links.some((link) => link.server === server.id)
  if (!port)
    return {
      because: `links open ports, and no ${service}: ${closed}`,
      remedy: `${open} opens all between containers of ${network?.name ?? 'it'}`,
    }
  const opens = linkablePorts(server).some((each) => portText(each) === portText(port))
  const call = `${client.name}.link('${server.name}')`
  const expose = `${server.name}.expose('${service}')`
  if (linked && opens)
    return {
      because: `the element for ${client.name}'s link to ${server.name} (${service}) is gone from the rules: somebody removed it`,
      remedy: `call ${client.name}.unlink('${server.name}') and ${call}, or open the host again with its state directory`,
    }
  if (linked)
    return {
      because: `${client.name}'s link to ${server.name} does not open ${service}, which ${server.name} neither exposes nor publishes, and ${closed}`,
      remedy: expose,
    }
  return {
    because: `${client.name} has no link to ${server.name}, and ${closed}`,
    remedy: opens
      ? `${call} opens ${service}`
      : `${call} opens ${service} once ${server.name} exposes it: ${expose}`,
  }
}

function fromInternal(subjects: Subjects): Words {
  const { source, to } = subjects
  const name = source?.name ?? 'the network'
  const why =
    source && !source.internal ? `the gateway mode of ${name} is isolated` : `the network ${name} is internal`
  return {
    because: `${why}: its containers reach nobody beyond it`,
    remedy: `connect ${subjects.from} to another network ${subjects.server ? `that ${to} is on` : 'that has a way out'}`,
  }
}

function isolated(step: Step, { source, target, from, to, server }: Subjects): Words {
  const set = step.kind === 'rule' ? step.element?.set : undefined
  const [one, other] = [source?.name ?? 'one network', target?.name ?? 'another']
  const remedy = `connect ${server && target ? `${from} to ${other}` : 'both to one network'}, or publish a port of ${to}`
  if (set !== '@strict')
    return {
      because: `the networks ${one} and ${other} are isolated from each other (isolation: 'default')`,
      remedy,
    }
  const strict = [source, target].find(isClosed)
  return {
    because: strict?.internal
      ? `the network ${strict.name} is internal: nobody from another network reaches its containers, nor the other way round`
      : `the network ${strict?.name ?? one} is isolated strictly (isolation: 'strict'), published ports aside`,
    remedy,
  }
}

function isClosed(network: NetworkRecord | undefined): boolean {
  return network !== undefined && (network.internal || network.isolation === 'strict')
}

function notOpen(subjects: Subjects): Words {
  const { target, to, service, from, port, packet } = subjects
  if (!target) return { because: `nothing lets ${from} in to ${to}`, remedy: 'publish a port of it' }
  const six = packet.family === 'ip6'
  const { mode } = familyOf(target, six ? 6 : 4)
  if (target.internal || mode === 'isolated')
    return {
      because: `the network ${target.name} is ${target.internal ? 'internal' : 'isolated'}: nobody outside reaches its containers`,
      remedy: `connect ${to} to a network that is open to outside, and publish the port there`,
    }
  if (subjects.isTranslated)
    return {
      because: `the element that opens ${service} of ${to}, which the host's port leads to, is gone from the rules`,
      remedy: 'open the host again with its state directory',
    }
  const publish = port ? `${to}.publish('${port.port}:${service}')` : 'a published port'
  if (mode === 'routed' || target.allowDirectRouting)
    return {
      because: `${service} of ${to} is not published, and ${target.name} lets nothing else in from outside`,
      remedy: `${publish} opens it`,
    }
  return {
    because: `the own addresses of ${target.name}'s containers are not open to outside (gateway mode ${mode})`,
    remedy: `ask a published port of the host (${publish}); or use allowDirectRouting, trustedInterfaces, a peer or another gateway mode`,
  }
}

function sender(subjects: Subjects): Words {
  const { packet } = subjects
  const container = subjects.behind(packet.inputDevice?.name)
  const name = container?.name ?? packet.inputDevice?.name ?? 'the container'
  const message = packet.family === 'arp' ? 'ARP ' : ''
  const source = packet.arp?.senderAddress ?? packet.discovery?.target ?? packet.source
  return {
    because: `${name} sends ${message}from ${source} (${packet.etherSource ?? 'MAC unknown'}), which it was not given: the sender check drops it`,
    remedy: `let ${name} use the address that it was given, or attach it with allowForgedSource: true`,
  }
}
