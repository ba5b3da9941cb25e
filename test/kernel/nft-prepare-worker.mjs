// A worker thread of nft-prepare.test.ts: prepares a rule and commits it with the rows that it is given. Worker threads run
// outside of vitest, so it uses the package as it was built.
import { workerData } from 'node:worker_threads'
import { match, Nft, slot, verdict } from 'nfbridge/nft'

const place = { family: 'ip', table: 't' }
const nft = await Nft.open({ netns: workerData.path })
const prepared = nft.prepare({
  rule: {
    ...place,
    chain: 'c',
    expr: [
      match.ip.saddr.eq(slot('client')),
      match.ip.daddr.eq(slot('server')),
      match.tcp.dport.eq(slot('port')),
      verdict.accept(),
    ],
  },
})
await nft
  .transaction()
  .add({ table: { family: 'ip', name: 't' } })
  .add({ chain: { ...place, name: 'c' } })
  .addPrepared(prepared, workerData.rows)
  .commit()
nft.close()
