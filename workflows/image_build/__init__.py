"""Makes the image that hosts are created from: build, upload, import, register, tag.

`clawdinator=true` is tagged last, so that a half-made image is never the newest. What can only be
seen in an account of AWS and on a runner with Nix and KVM: the build of the image itself, and the
import of its snapshot (moto has none); both are held to their client's wire in the tests.
"""
