/** All groups of scenarios. */
import type { Group } from '../scenario.js'
import { beside } from './beside.js'
import { byGateway } from './by-gateway.js'
import { combinations } from './combinations.js'
import { communication } from './communication.js'
import { forwarding } from './forwarding.js'
import { gatewayModes } from './gateway-modes.js'
import { ipam } from './ipam.js'
import { ipv6 } from './ipv6.js'
import { lifecycle } from './lifecycle.js'
import { links } from './links.js'
import { networks } from './networks.js'
import { peers } from './peers.js'
import { publishing } from './publishing.js'
import { senders } from './senders.js'
import { userRules } from './user-rules.js'

export const groups: readonly Group[] = [
  forwarding,
  userRules,
  communication,
  links,
  byGateway,
  lifecycle,
  networks,
  publishing,
  gatewayModes,
  ipv6,
  senders,
  ipam,
  peers,
  beside,
  combinations,
]
