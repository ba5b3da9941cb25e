// Opens a host with a state directory, and attaches a container with a hosts file; says how each of both ends.
import { BridgeHost } from 'nfbridge'

const [netns, inner, state, hostsFile] = process.argv.slice(2)
const said = ({ code, path, errno, message }) => ({ code, path, errno, message })
let outcome = {}
try {
  const host = await BridgeHost.open({ netns, ...(state && { state }) })
  outcome = { code: 'opened' }
  if (hostsFile) {
    const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    await network.attach({ name: 'web', netns: inner, hostsFile }).then(
      () => {
        outcome = { code: 'attached' }
      },
      (error) => {
        outcome = said(error)
      },
    )
    await network.destroy()
  }
  await host.close()
} catch (error) {
  outcome = said(error)
}
console.log(JSON.stringify(outcome))
