/** The name of a host's two tables, one of family inet and one of family bridge, unless it is opened with another. */
export const DEFAULT_TABLE = 'nfbridge'

/** The families of our two tables. */
export type TableFamily = 'inet' | 'bridge'

/**
 * The two chains of table inet nfbridge that are the users': made once, and never touched again. `forward` sees all that is
 * forwarded, replies too (Docker's DOCKER-USER); `inbound` only new traffic towards containers (Docker's DOCKER).
 */
export const USER_CHAINS = { forward: 'user', inbound: 'user_inbound' } as const

/** The base chain that all that is forwarded meets. */
export const FORWARD_CHAIN = 'forward'

/** The flowtable, and the chain whose rules add connections to it; both are there only where offload is in effect. */
export const OFFLOAD = 'offloaded'

export type UserChain = keyof typeof USER_CHAINS
