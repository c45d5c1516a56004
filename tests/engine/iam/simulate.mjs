// Reads simulations as a JSON list, writes what each comes to: "Allowed", "ImplicitlyDenied", …
import { runSimulation } from '@cloud-copilot/iam-simulate'

let text = ''
for await (const chunk of process.stdin) text += chunk
const results = []
for (const simulation of JSON.parse(text)) {
  const result = await runSimulation(simulation, {})
  results.push(
    result.resultType === 'error' ? { errors: result.errors } : { decision: result.overallResult ?? result.analysis?.result ?? result }
  )
}
process.stdout.write(JSON.stringify(results))
