variable "region" {
  description = "AWS region of the fleet."
  type        = string
}

variable "ami" {
  description = "Image of hosts that are created or replaced; no other host moves."
  type        = string

  validation {
    condition     = can(regex("^ami-([0-9a-f]{8}|[0-9a-f]{17})$", var.ami))
    error_message = "An image id looks like ami-0123456789abcdef0."
  }
}

variable "revision" {
  description = "Commit that hosts become that are created or replaced; no other host changes."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.revision))
    error_message = "A revision is a commit's 40 hexadecimal digits."
  }
}

variable "seed_sha256" {
  description = "SHA-256 of that commit's seed, by which a host verifies it."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.seed_sha256))
    error_message = "A SHA-256 is 64 hexadecimal digits."
  }
}

variable "bootstrap_bucket" {
  description = "Bucket that holds bootstrap/<instance>/ and seeds/."
  type        = string
}

variable "control_api_url" {
  description = "Function URL of the Control API, written to /etc/clawdinator/control-api-url."
  type        = string
}

variable "network" {
  description = "Address range of the fleet's only subnet."
  type        = string
  default     = "10.78.0.0/22"
}

variable "root_gigabytes" {
  description = "Size of a host's disk."
  type        = number
  default     = 60
}
