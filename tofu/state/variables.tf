variable "region" {
  description = "AWS region of everything here."
  type        = string
}

variable "state_bucket" {
  description = "Name of the bucket that holds the states; globally unique."
  type        = string
}

variable "lock_table" {
  description = "Name of the DynamoDB table that locks them."
  type        = string
  default     = "clawdinator-tofu-lock"
}

variable "s3_use_path_style" {
  description = "Address buckets by path: for an S3 that is not AWS's."
  type        = bool
  default     = false
}
