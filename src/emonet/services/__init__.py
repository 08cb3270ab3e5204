"""One client for language, speech and image models behind OpenAI's protocol.

`ask` sends requests with a bound on concurrency, pace and money, tries again with back-off, keeps every raw reply in a
SQLite cache before anybody reads it, and asks nothing twice. Extra `services`.
"""

from emonet.services._ask import ask, cache_file, estimate_cost, read_account
from emonet.services._chat import chat_body, json_reply
from emonet.services._records import KINDS, CostEstimate, Endpoint, Kind, Reply, ReplyStatus, Request, ServiceAccount

__all__ = [
    "KINDS",
    "CostEstimate",
    "Endpoint",
    "Kind",
    "Reply",
    "ReplyStatus",
    "Request",
    "ServiceAccount",
    "ask",
    "cache_file",
    "chat_body",
    "estimate_cost",
    "json_reply",
    "read_account",
]
