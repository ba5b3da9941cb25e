/** What the programs of this folder have in common: they install their rules where they are told, and print them. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Namespace, NfbridgeError } from 'nfbridge'
import { type ListedObject, Nft, type RulesetObject, toText } from 'nfbridge/nft'
import { becomeCapable } from '../demo/privilege.js'

/** Adds the objects in one transaction: all of them, or none. */
export async function install(netns: Namespace | string, objects: readonly RulesetObject[]): Promise<void> {
  using nft = await Nft.open({ netns })
  const transaction = nft.transaction()
  for (const object of objects) transaction.add(object)
  await transaction.commit()
}

/** Does nothing unless `meta` is of the program that was started, so that tests can import it. */
export async function run(meta: ImportMeta, firewall: () => readonly RulesetObject[]): Promise<void> {
  const [, program = '', where, ...rest] = process.argv
  if (program === '' || realpathSync(program) !== fileURLToPath(meta.url)) return
  if (where === undefined || rest.length > 0) {
    process.stderr.write(
      `usage: node ${program} --demo | --print | NAMESPACE\n` +
        '  --demo      in a new network namespace, which is gone afterwards\n' +
        '  --print     only prints the rules\n' +
        '  NAMESPACE   installs them there, for example in /run/netns/test\n',
    )
    process.exitCode = 2
    return
  }
  try {
    if (where === '--print') print(firewall())
    else if (where !== '--demo') print(await installAndList(where, firewall()))
    else if (becomeCapable()) {
      using namespace = await Namespace.create()
      print(await installAndList(namespace, firewall()))
    }
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
    process.stderr.write(`${error.code}: ${error.message}\n`)
    process.exitCode = 1
  }
}

async function installAndList(
  netns: Namespace | string,
  objects: readonly RulesetObject[],
): Promise<readonly ListedObject[]> {
  await install(netns, objects)
  using nft = await Nft.open({ netns })
  return (await nft.list()).nftables
}

function print(objects: readonly (RulesetObject | ListedObject)[]): void {
  process.stdout.write(`${toText(objects).trimEnd()}\n`)
}
