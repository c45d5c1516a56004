# The only thing the deploy role may run on a host: a question, with no parameters to fill.
# AWS-RunShellScript would be root everywhere.

resource "aws_ssm_document" "health" {
  name            = "clawdinator-health"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "How is this host? Its revision and its units, as one JSON object."
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "health"
      inputs = {
        timeoutSeconds = "20"
        runCommand     = ["/run/current-system/sw/bin/clawdinator-health"]
      }
    }]
  })
}
