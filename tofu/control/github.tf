# GitHub's tokens, and whose may take a role here: of this repository (by number), from the job's own
# environment, and from its workflow file on this branch.

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  github = "token.actions.githubusercontent.com"
  runs = {
    deploy = { workflow = "fleet-deploy.yml", environment = "fleet" }
    image  = { workflow = "image-build.yml", environment = "image" }
  }
  repository_subject = trimsuffix(var.oidc_subject, ":environment:fleet")

  # The trust policy of each of their roles.
  trust = {
    for role, run in local.runs : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
        Condition = {
          StringEquals = {
            "${local.github}:aud"              = "sts.amazonaws.com"
            "${local.github}:sub"              = "${local.repository_subject}:environment:${run.environment}"
            "${local.github}:repository_id"    = var.repository_id
            "${local.github}:environment"      = run.environment
            "${local.github}:job_workflow_ref" = "${var.repository}/.github/workflows/${run.workflow}@refs/heads/${var.branch}"
          }
        }
      }]
    })
  }
}
