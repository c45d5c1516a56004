"""Why Telegram can't be served, in a sentence that says what to do."""


class Trouble(Exception):
    """`run` raises it where going on makes no sense before somebody did something."""


TOKEN_REFUSED = "Telegram does not know the token. Put the right one into CLAWBOT_TELEGRAM_TOKEN."  # noqa: S105  (words)
TOKEN_MISSING = "CLAWBOT_TELEGRAM_TOKEN is missing: the bot's token, from @BotFather."  # noqa: S105  (words)
WEBHOOK_SET = (
    "A webhook is set for this bot ({host}), so I can't poll, and I don't delete what somebody "
    "else set. Delete it, or serve it with CLAWBOT_TELEGRAM_WEBHOOK_URL."
)
