/** The states that timeout policies have (linux/netfilter/nfnetlink_cttimeout.h), in the order of their attributes. */
import type { TcpTimeoutState, UdpTimeoutState } from '../model/index.js'

/** A state, and how long Linux keeps a connection in it unless told otherwise; nft prints what differs. */
export interface TimeoutState<Name extends string> {
  readonly name: Name
  readonly seconds: number
}

const state = <Name extends string>(name: Name, seconds: number): TimeoutState<Name> => ({ name, seconds })

/** CTA_TIMEOUT_TCP_*, CTA_TIMEOUT_UDP_*, from 1 on. */
export const timeoutStates: {
  readonly tcp: readonly TimeoutState<TcpTimeoutState>[]
  readonly udp: readonly TimeoutState<UdpTimeoutState>[]
} = {
  tcp: [
    state('syn_sent', 120),
    state('syn_recv', 60),
    state('established', 432_000),
    state('fin_wait', 120),
    state('close_wait', 60),
    state('last_ack', 30),
    state('time_wait', 120),
    state('close', 10),
    state('syn_sent2', 120),
    state('retrans', 300),
    state('unack', 300),
  ],
  udp: [state('unreplied', 30), state('replied', 120)],
}
