"""A client of `emonet serve`: `Client`. docs/serve.md."""

from emonet.client._client import Client
from emonet.client._replies import Captioned, Reply, ServerRefusedError, StreamReply

__all__ = ["Captioned", "Client", "Reply", "ServerRefusedError", "StreamReply"]
