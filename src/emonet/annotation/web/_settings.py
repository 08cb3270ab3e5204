"""What the web application can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of one running application.

    `https`: set when raters reach it over https (also behind a proxy); cookies are then marked Secure and get the
    `__Host-` prefix. `public_url`: the address raters use, for invitation links; taken from the request where empty.
    `session_for`: how long a sign-in lasts without use. `invitation_for`: how long an invitation can be taken up.
    `threads`: requests handled at once, which should equal the connections of the store's pool. `attempts` failed
    sign-ins per name, and five times as many per address, are answered within `attempts_for`; then it waits.
    `proxies`: how many reverse proxies stand in front and append to X-Forwarded-For; 0 ignores that header.
    """

    https: bool = False
    public_url: str = ""
    session_for: timedelta = timedelta(days=14)
    invitation_for: timedelta = timedelta(days=14)
    threads: int = 16
    attempts: int = 8
    attempts_for: timedelta = timedelta(minutes=15)
    proxies: int = 0
