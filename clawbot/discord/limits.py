"""What Discord takes at most of what we send, as its documentation gives it, in characters."""

EMBED_TITLE = 256
EMBED_DESCRIPTION = 4096
FIELD_VALUE = 1024
# Of its title, description, fields and footer.
EMBED_TOGETHER = 6000
LINK = 512
CHOICES = 25
CHOICE_NAME = 100

TOKEN_SECONDS = 15 * 60.0
# Edits of messages older than this are refused after the first few (error 30046).
EDITABLE_SECONDS = 3600.0
