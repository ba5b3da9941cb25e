export { Cidr } from './cidr.js'
export { addressFromBytes, type IPAddress, parseAddress } from './ip.js'
export { IPv4Address } from './ipv4.js'
export { IPv6Address } from './ipv6.js'
export { MacAddress } from './mac.js'
export {
  formatRange,
  PortProtocol,
  type PortRange,
  type Protocol,
  parseExpose,
  parsePort,
  parsePortRange,
  parseProtocol,
  protocolNumbers,
} from './port.js'
export {
  formatPublication,
  type Publication,
  type PublicationOptions,
  parsePublication,
} from './publication.js'
