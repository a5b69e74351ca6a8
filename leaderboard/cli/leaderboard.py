"""``babelboard leaderboard``: builds the static site."""


def command() -> None:
    """Build."""
