# The hosts. A chat's deploy only ever touches this root; the control plane has its own (ADR 5).

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "= 5.100.0" # what is rehearsed; 6.x is unproven
    }
  }

  # bucket, dynamodb_table and region come by -backend-config. Both locks, on purpose: the table is
  # the one the control plane promises, the lock file the one OpenTofu prefers.
  backend "s3" {
    key          = "fleet.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      app = "clawdinator"
    }
  }

  # What a host said of itself last: runs write it beside OpenTofu (ADR 25).
  ignore_tags {
    keys = ["answer"]
  }
}

locals {
  registry = jsondecode(file("${path.module}/../../nix/instances.json"))
}

resource "terraform_data" "registry_is_not_empty" {
  lifecycle {
    precondition {
      condition     = length(local.registry) > 0
      error_message = "nix/instances.json is empty; applying it would destroy every host."
    }
  }
}
