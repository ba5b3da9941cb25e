/** Matches and targets of xtables, which iptables-nft writes into rules of nf_tables. */
export { isDecoded, readXt, writeXt, type XtInfo, xtMeaning, xtOptionsText } from './registry.js'
