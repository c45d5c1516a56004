variable "region" {
  description = "AWS region of the control plane."
  type        = string
}

variable "repository" {
  description = "GitHub repository, OWNER/NAME."
  type        = string
  default     = "openclaw/clawdinators"
}

variable "repository_id" {
  description = "Its number: gh api repos/OWNER/NAME --jq .id. A name can be taken over, a number can't."
  type        = string
}

variable "oidc_subject" {
  description = <<-EOT
    Subject of the tokens GitHub gives this repository's `fleet` environment. A repository made,
    renamed or moved after 2026-07-15 has numbers in it: repo:OWNER@OWNER-ID/NAME@ID:environment:fleet.
    That of the `image` environment differs in its last word.
  EOT
  type        = string

  validation {
    condition     = can(regex("^repo:.+:environment:fleet$", var.oidc_subject))
    error_message = "It looks like repo:OWNER/NAME:environment:fleet."
  }
}

variable "branch" {
  description = "The branch whose workflow may deploy."
  type        = string
  default     = "main"
}

variable "control_api_account" {
  description = <<-EOT
    Whose github_token is, as <login>:<number>: gh api user --jq '"\(.login):\(.id)"'. An account of its
    own or an App's bot user: what it asks for is believed to come from a chat.
  EOT
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*(\\[bot\\])?:[1-9][0-9]*$", var.control_api_account)) && !endswith(var.control_api_account, ":41898282")
    error_message = "It looks like fleet-control:190000001, and is not github-actions[bot], which any workflow speaks as."
  }
}

variable "deploy_people" {
  description = "Who else may start a deploy, by the button on GitHub: <login>:<number>, with commas between."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9][A-Za-z0-9_-]*:[1-9][0-9]*(,|$))*$", var.deploy_people))
    error_message = "It looks like sam:583231,kim:44; no App is a person."
  }
}

variable "control_token" {
  description = "The shared control token; two, one a line, while it is being rotated."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "github_token" {
  description = "Fine-grained token of this repository alone: Actions write, Contents read."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "secrets_version" {
  description = "Raise it to write the two secrets anew."
  type        = number
  default     = 1
}

variable "chat_bots" {
  description = "Bots that run beside the fleet, on no instance; each gets a chat key of that name."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.chat_bots, keys(jsondecode(file("${path.module}/../../nix/instances.json"))))) == 0
    error_message = "A bot that runs on an instance has its chat key already; name only others."
  }
}

variable "operators" {
  description = "ARNs of people who may call the Control API without a bot."
  type        = list(string)
  default     = []
}

variable "bootstrap_bucket" {
  description = "Name of the bucket for bootstrap/ and age-secrets/; globally unique."
  type        = string
}

variable "image_bucket" {
  description = "Name of the bucket that a build's disk goes through; globally unique."
  type        = string
}

variable "state_bucket" {
  description = "The bucket of tofu/state."
  type        = string
}

variable "lock_table" {
  description = "The table of tofu/state."
  type        = string
  default     = "clawdinator-tofu-lock"
}

variable "lambda_zip" {
  description = "What `make lambda` built."
  type        = string
  default     = "../../build/control-api.zip"
}

variable "reserved_concurrency" {
  description = "Most calls at once; null for none reserved, since a new account may have none to spare."
  type        = number
  default     = null
}

variable "s3_use_path_style" {
  description = "Address buckets by path: for an S3 that is not AWS's."
  type        = bool
  default     = false
}
