"""An error as OpenTofu prints it."""


class Failed(Exception):
    """Ends the command with exit 1; `framed` is what is printed."""

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail

    @property
    def framed(self) -> str:
        lines = [f"Error: {self.title}", *(["", *self.detail.splitlines()] if self.detail else [])]
        return "\n".join(("╷", *(f"│ {line}".rstrip() for line in lines), "╵"))
