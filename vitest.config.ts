import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url))

/** A kind of test: a folder of test/. Kinds that create namespaces run one file after the other. */
const project = (name: string, settings: { parallel: boolean; testTimeout?: number }) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    fileParallelism: settings.parallel,
    ...(settings.testTimeout ? { testTimeout: settings.testTimeout, hookTimeout: settings.testTimeout } : {}),
  },
})

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nfbridge\/nft$/, replacement: source('nft/index.ts') },
      { find: /^nfbridge\/rtnl$/, replacement: source('rtnl/index.ts') },
      { find: /^nfbridge$/, replacement: source('index.ts') },
    ],
  },
  test: {
    // A process for each file: the addon and its threads are loaded afresh, and a crash is seen as one.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      project('unit', { parallel: true }),
      project('kernel', { parallel: false }),
      project('conformance', { parallel: false, testTimeout: 60_000 }),
      project('process', { parallel: false, testTimeout: 60_000 }),
      project('package', { parallel: false, testTimeout: 180_000 }),
    ],
  },
})
