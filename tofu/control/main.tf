# The control plane: what deploys, and whoever may ask it. Applied by a person, never by a chat.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "= 5.100.0" # what is rehearsed; 6.x is unproven
    }
  }

  # bucket, dynamodb_table and region come by -backend-config.
  backend "s3" {
    key          = "control.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  registry  = jsondecode(file("${path.module}/../../nix/instances.json"))

  ec2 = "arn:${local.partition}:ec2:${var.region}:${local.account}"
  # Images and snapshots have no account in their names.
  images    = "arn:${local.partition}:ec2:${var.region}::image/*"
  snapshots = "arn:${local.partition}:ec2:${var.region}::snapshot/*"
}
