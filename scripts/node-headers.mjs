// Where node-gyp finds the headers of the running Node, so that it need not download them.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The environment for node-gyp: with `npm_config_nodedir` when the headers are installed beside this Node. */
export function withNodeHeaders(env) {
  if (env.npm_config_nodedir !== undefined) return env
  const prefix = dirname(dirname(process.execPath))
  try {
    const header = readFileSync(join(prefix, 'include/node/node_version.h'), 'utf8')
    const [major] = process.versions.node.split('.')
    // Node-API is the same in all versions that have these headers; another major may need other compiler settings.
    if (!new RegExp(`#define NODE_MAJOR_VERSION ${major}\\b`).test(header)) return env
  } catch {
    return env
  }
  return { ...env, npm_config_nodedir: prefix }
}
