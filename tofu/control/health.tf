# The only thing the deploy role may run on a host: a question, with no parameters to fill.
# AWS-RunShellScript would be root everywhere.

resource "aws_ssm_document" "service_active" {
  name            = "clawdinator-service-active"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Is clawdinator.service active?"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "active"
      inputs = {
        timeoutSeconds = "20"
        runCommand     = ["systemctl is-active clawdinator.service"]
      }
    }]
  })
}
