"""Discord's limits, as its documentation gives them; lengths in characters.

On purpose not the product's own numbers: a wrong one there is refused here.
"""

CONTENT = 2000
EMBEDS = 10
EMBED_TITLE = 256
EMBED_DESCRIPTION = 4096
EMBED_FIELDS = 25
FIELD_NAME = 256
FIELD_VALUE = 1024
FOOTER = 2048
AUTHOR = 256
# Titles, descriptions, fields, footers and authors of all embeds of one message together.
EMBEDS_TOGETHER = 6000
ROWS = 5
BUTTONS_A_ROW = 5
LABEL = 80
CUSTOM_ID = 100
LINK = 512
CHOICES = 25
CHOICE_NAME = 100
CHOICE_VALUE = 100
# Of an option that is an integer: all that a double holds.
INTEGER = 2**53
COMMAND_DESCRIPTION = 100
OPTIONS = 25
COMMAND_TOGETHER = 8000

ANSWER_WITHIN_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
# Edits of messages older than this are refused after the first few (error 30046).
EDITABLE_SECONDS = 3600.0
# Discord tells no number.
LATE_EDITS = 1
# Discord documents "the past few minutes".
NONCE_SECONDS = 300.0
