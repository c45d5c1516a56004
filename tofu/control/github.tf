# GitHub's tokens, and whose may take a role here: of this repository (by number), from the job's own
# environment, from its workflow file on this branch, and of a run that somebody started who may.

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  github = "token.actions.githubusercontent.com"
  actor  = "${local.github}:actor_id"
  runs = {
    deploy = {
      workflow    = "fleet-deploy.yml"
      environment = "fleet"
      started     = { (local.actor) = [for one in compact(concat([var.control_api_account], split(",", var.deploy_people))) : split(":", one)[1]] }
      never       = {}
    }
    # Whoever merges starts a build. Not what a workflow of any branch starts by its own token, which
    # comes from github-actions[bot].
    image = {
      workflow    = "image-build.yml"
      environment = "image"
      started     = {}
      never       = { (local.actor) = ["41898282"] }
    }
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
        Condition = { for operator, keys in {
          StringEquals = merge(run.started, {
            "${local.github}:aud"              = "sts.amazonaws.com"
            "${local.github}:sub"              = "${local.repository_subject}:environment:${run.environment}"
            "${local.github}:repository_id"    = var.repository_id
            "${local.github}:environment"      = run.environment
            "${local.github}:job_workflow_ref" = "${var.repository}/.github/workflows/${run.workflow}@refs/heads/${var.branch}"
          })
          StringNotEquals = run.never
        } : operator => keys if length(keys) > 0 }
      }]
    })
  }
}
