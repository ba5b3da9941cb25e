/** Numbers of the kernel's interface for expressions that load a value: linux/netfilter/nf_tables.h and others. */

/** NFT_EXTHDR_F_PRESENT */
export const EXTHDR_PRESENT = 1

/** NFT_OSF_F_VERSION, and how the TTL is compared (enum nf_osf_ttl of nfnetlink_osf.h). */
export const OSF_VERSION = 1
export const OsfTtls = { loose: 1, skip: 2 } as const

/** enum nft_ng_types */
export const NumgenTypes = { inc: 0, random: 1 } as const

/** enum nft_hash_types */
export const HashTypes = { jenkins: 0, symmetric: 1 } as const

/** XFRM_POLICY_IN, XFRM_POLICY_OUT */
export const XfrmDirections = { in: 0, out: 1 } as const
