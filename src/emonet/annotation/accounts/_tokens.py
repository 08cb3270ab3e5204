"""Secrets that people carry (session cookies, invitation links): random, and stored as hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime


def new_token() -> str:
    """256 random bits, safe in addresses and cookies."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 in hex. The token is random, so that a fast hash without salt is enough and can be looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def same_token(left: str, right: str) -> bool:
    """Compare without telling by the time how much agrees; empty ones never agree."""
    return bool(left) and hmac.compare_digest(left.encode(), right.encode())


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
