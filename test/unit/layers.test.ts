import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findViolations, ranks, readSources } from '../../scripts/import-direction.mjs'

const root = fileURLToPath(new URL('../../src', import.meta.url))

describe('imports of src/', () => {
  it('run downward only', () => {
    const files = readSources(root)
    expect(files.has('errors.ts')).toBe(true)
    expect(findViolations(files)).toEqual([])
  })

  it('come from parts that have a rank', () => {
    const parts = new Set([...readSources(root).keys()].map((file) => file.split('/')[0]))
    expect([...parts].filter((part) => !ranks.has(String(part)))).toEqual([])
  })
})

describe('the check of imports', () => {
  it.each([
    ['up', 'nft/rules.ts', "import { plan } from '../network/plan.js'", 'runs up, from nft to network'],
    ['sideways', 'nft/rules.ts', "import type { Link } from '../rtnl/link.js'", 'runs sideways'],
    ['up in a re-export', 'errors.ts', "export * from './address/index.js'", 'runs up'],
    ['up in a dynamic import', 'native/load.ts', "await import('../index.js')", 'runs up'],
    ['up in a type', 'address/ip.ts', "let a: import('../native/addon.js').Failure", 'runs up'],
    ['up through require', 'address/ip.ts', "require('../native/addon.js')", 'runs up'],
    ['up from a deeper folder', 'nft/model/a.ts', "import '../../network/plan.js'", 'runs up'],
    ['out of src', 'index.ts', "import '../lab/machine.js'", 'leaves src/'],
    ['around, by the name of the package', 'nft/a.ts', "import 'nfbridge'", 'imports itself'],
    ['to a part without rank', 'index.ts', "import './wonder/a.js'", 'wonder has no rank'],
    ['to what starts processes', 'network/a.ts', "import { spawn } from 'node:child_process'", 'no process'],
  ])('finds one that runs %s', (_, file, text, reason) => {
    const violations = findViolations(new Map([[file, `// one line above\n${text}\n`]]))
    expect(violations).toHaveLength(1)
    expect(violations[0]).toMatchObject({ file, line: 2, reason: expect.stringContaining(reason) })
  })

  it('passes what runs downward, stays in its folder or comes from outside', () => {
    const text = `import '../nft/index.js'\nimport './other.js'\nimport 'node:fs'\n// import '../index.js'\n`
    expect(findViolations(new Map([['network/a.ts', text]]))).toEqual([])
  })
})
