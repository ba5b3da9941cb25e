import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url))

/** A kind of test: a folder of test/. Kinds that create namespaces run one file after the other. */
const project = (name: string, settings: { parallel: boolean; isolate?: boolean; maxWorkers?: number }) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    fileParallelism: settings.parallel,
    isolate: settings.isolate ?? true,
    ...(settings.maxWorkers !== undefined && { maxWorkers: settings.maxWorkers }),
  },
})

/** They wait for packets that do not come, for most of their time: more at once than there are cores. */
const WAITING_WORKERS = 4

/** The limit of a test and of a hook: for what hangs, on the slowest machine. What is merely slow passes. */
const HANGING_MS = 300_000

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nfbridge\/nft$/, replacement: source('nft/index.ts') },
      { find: /^nfbridge\/rtnl$/, replacement: source('rtnl/index.ts') },
      { find: /^nfbridge\/conntrack$/, replacement: source('conntrack/index.ts') },
      { find: /^nfbridge\/address$/, replacement: source('address/index.ts') },
      { find: /^nfbridge$/, replacement: source('index.ts') },
    ],
  },
  test: {
    globalSetup: 'test/support/programs.ts',
    // A process for each file, unless it is not isolated: the addon and its threads are loaded afresh, and a crash is seen as one.
    pool: 'forks',
    testTimeout: HANGING_MS,
    hookTimeout: HANGING_MS,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      project('unit', { parallel: true, isolate: false }),
      project('kernel', { parallel: true, isolate: false, maxWorkers: WAITING_WORKERS }),
      project('conformance', { parallel: false }),
      project('managers', { parallel: false }),
      project('process', { parallel: false }),
      project('package', { parallel: false }),
    ],
  },
})
