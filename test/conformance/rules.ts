/** The cases that are rules of one family: installed by nft in both of its forms and by us, and compared. */
import type { Namespace } from '../../src/netns/index.js'
import { type Family, Nft } from '../../src/nft/index.js'
import { familyNumbers } from '../../src/nft/kernel/constants.js'
import { comparable } from '../kernel/nft-list-compare.js'
import { isObject, nft, nftFile, nftJson } from '../support/tools.js'
import { compileLines } from '../unit/nft/debug-notation.js'
import { installOurs } from './ours.js'
import { difference, type Outcome } from './outcome.js'
import { kernelRecords } from './records.js'
import { expressionsByChain, installJson, installText, spaced, tryNft } from './reference.js'
import type { RuleCase } from './table.js'
import { declaredSets, worldText } from './world.js'

/** Makes namespaces that are closed afterwards. */
export type NewNamespace = () => Promise<Namespace>

/** @param missing features that are not there, with the reason */
export async function runRules(
  family: Family,
  cases: readonly RuleCase[],
  missing: ReadonlyMap<string, string>,
  newNamespace: NewNamespace,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = cases.map(({ needs }) => {
    const skipped = missingNeeds(needs, missing)
    return { faults: [], ...(skipped !== undefined && { skipped }) }
  })
  const complete = [...cases.keys()].filter((index) => outcomes[index]?.skipped === undefined)
  const lacking = [...cases.keys()].filter((index) => outcomes[index]?.skipped !== undefined)
  await compareRules(family, cases, complete, outcomes, newNamespace)
  await tryAlone(family, cases, lacking, outcomes, newNamespace)
  return outcomes
}

/** Why a case with some needs is skipped, if it is. */
export function missingNeeds(
  needs: readonly string[],
  missing: ReadonlyMap<string, string>,
): string | undefined {
  const lacks = needs.filter((name) => missing.has(name))
  return lacks.length === 0 ? undefined : lacks.map((name) => `${name}: ${missing.get(name)}`).join('; ')
}

const owner = (family: Family, index: number) => ({ family, table: 't', chain: `case${index}` })

async function compareRules(
  family: Family,
  cases: readonly RuleCase[],
  chosen: readonly number[],
  outcomes: readonly Outcome[],
  newNamespace: NewNamespace,
): Promise<void> {
  const world = worldText(
    family,
    cases.map(({ chain }) => chain),
  )
  const [byText, byJson, byUs] = [await newNamespace(), await newNamespace(), await newNamespace()]
  for (const namespace of [byText, byJson, byUs]) await nftFile(namespace, world)

  const text = await installText(
    byText,
    chosen.map((index) => `add rule ${family} t case${index} ${cases[index]?.nft}`),
  )
  const json = await installJson(
    byJson,
    chosen.map((index) => [{ add: { rule: { ...owner(family, index), expr: cases[index]?.expr } } }]),
  )
  const handle = await Nft.open({ netns: byUs })
  const refused = await installOurs(
    handle,
    chosen.map((index) => [{ rule: { ...owner(family, index), expr: cases[index]?.expr ?? [] } }]),
    declaredSets(family),
  )
  const listed = await ourRules(handle, family)
  handle.close()

  const [textRules, jsonRules, ourRulesByNft] = [
    await nftRules(byText, family, cases.length),
    await nftRules(byJson, family, cases.length),
    await nftRules(byUs, family, cases.length),
  ]
  const [theirRecords, ourRecords] = [await kernelRecords(byText), await kernelRecords(byUs)]
  const expressions = expressionsByChain(text.output)

  for (const [position, index] of chosen.entries()) {
    const [one, outcome] = [cases[index], outcomes[index]]
    if (one === undefined || outcome === undefined) continue
    const { faults } = outcome
    const chain = `case${index}`
    const nftRefused = text.refused.get(position)
    if (nftRefused !== undefined)
      faults.push(`nft refuses the text, and the case names no need: ${nftRefused}`)
    const weRefused = refused.get(position)
    if (weRefused !== undefined) faults.push(`we refuse: ${weRefused}`)
    if (faults.length > 0) continue

    const theirs = comparable(textRules.get(chain))
    const ofOurs = difference('nft lists', comparable(ourRulesByNft.get(chain)), theirs)
    if (one.mended === undefined) faults.push(...ofOurs)
    const key = `${familyNumbers[family]} t ${chain}`
    const inKernel = [
      ...difference('the kernel has', ourRecords.chains.get(key), theirRecords.chains.get(key)),
      ...difference('expressions', unordered(compiled(family, one)), unordered(expressions.get(chain))),
    ]
    if (one.mended === undefined) faults.push(...inKernel)
    else if (inKernel.length === 0)
      faults.push(`nft writes the same, which the case says is wrong: ${one.mended}`)

    const jsonRefused = json.get(position)
    if (jsonRefused !== undefined) outcome.note = `nft -j refuses our value: ${jsonRefused}`
    else if (difference('', comparable(jsonRules.get(chain)), theirs).length > 0)
      outcome.note = `nft -j makes something else of our value than of the text: ${JSON.stringify(jsonRules.get(chain))}`

    const ours = comparable(listed.get(chain))
    const expected = comparable([one.lists ?? one.expr])
    // What is written in another form than nft's own is listed in nft's.
    const isListed = difference('', ours, expected).length === 0
    if (!isListed && (one.lists !== undefined || difference('', ours, theirs).length > 0))
      faults.push(...difference('we list', ours, expected), ...difference('and nft lists', ours, theirs))
  }
}

/** The elements of sets in an order of their own. */
function unordered(lines: readonly string[] = []): string[] {
  const isElement = (line: string): boolean => line.startsWith('element ')
  return [...lines.filter(isElement).sort(), ...lines.filter((line) => !isElement(line))]
}

function compiled(family: Family, { expr }: RuleCase): string[] {
  // A meter's set has a name; nft does not print it.
  return compileLines(family, expr, declaredSets(family))
    .map(spaced)
    .filter((line) => !/^(?!__)\S+ t \w+ size \d+$/.test(line))
}

/** The statements of the rules by chain, as nft lists them; chain by chain where nft fails on one of them. */
async function nftRules(
  namespace: Namespace,
  family: Family,
  count: number,
): Promise<Map<string, unknown[]>> {
  const rules = new Map<string, unknown[]>()
  const collect = (items: readonly object[]): void => {
    for (const item of items) {
      const rule = isObject(item) ? item.rule : undefined
      if (!isObject(rule)) continue
      const chain = String(rule.chain)
      rules.set(chain, [...(rules.get(chain) ?? []), rule.expr])
    }
  }
  try {
    collect(await nftJson(namespace, 'list', 'ruleset'))
  } catch {
    rules.clear()
    for (let index = 0; index < count; index++) {
      const chain = `case${index}`
      try {
        collect(await nftJson(namespace, 'list', 'chain', family, 't', chain))
      } catch {
        // nft's JSON fails on this rule: its text stands for it.
        const printed = await nft(namespace, 'list', 'chain', family, 't', chain).catch(String)
        rules.set(chain, [printed])
      }
    }
  }
  return rules
}

async function ourRules(handle: Nft, family: Family): Promise<Map<string, unknown[]>> {
  const rules = new Map<string, unknown[]>()
  const { nftables } = await handle.list({ family, table: 't' })
  for (const object of nftables)
    if ('rule' in object) {
      const { chain, expr } = object.rule
      rules.set(chain, [...(rules.get(chain) ?? []), expr])
    }
  return rules
}

/**
 * What nft or the kernel lacks: the expressions, where nft knows them, and our own side. What the kernel takes from us is
 * listed again as the value; a refusal must be the kernel's.
 */
async function tryAlone(
  family: Family,
  cases: readonly RuleCase[],
  chosen: readonly number[],
  outcomes: readonly Outcome[],
  newNamespace: NewNamespace,
): Promise<void> {
  if (chosen.length === 0) return
  const namespace = await newNamespace()
  await nftFile(
    namespace,
    worldText(
      family,
      cases.map(() => undefined),
    ),
  )
  const handle = await Nft.open({ netns: namespace })
  const groups = chosen.map((index) => [
    { rule: { ...owner(family, index), expr: cases[index]?.expr ?? [] } },
  ])
  const refused = await installOurs(handle, groups, declaredSets(family))
  const listed = await ourRules(handle, family)
  handle.close()
  for (const [position, index] of chosen.entries()) {
    const [one, outcome] = [cases[index], outcomes[index]]
    if (one === undefined || outcome === undefined) continue
    // nft prints the expressions before the kernel refuses them; of what it does not know, nothing.
    const command = `add rule ${family} t case${index} ${one.nft}\n`
    const { stdout } = await tryNft(namespace, ['--debug=netlink', '-f', '-'], command)
    const expressions = expressionsByChain(stdout).get(`case${index}`)
    if (expressions !== undefined)
      outcome.faults.push(
        ...difference('expressions', unordered(compiled(family, one)), unordered(expressions)),
      )
    const error = refused.get(position)
    if (error === undefined) {
      const expected = comparable([one.lists ?? one.expr])
      outcome.faults.push(...difference('we list', comparable(listed.get(`case${index}`)), expected))
    } else if (!isObject(error) || error.errno === undefined) outcome.faults.push(`we refuse: ${error}`)
  }
}
