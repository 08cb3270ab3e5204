"""Figures for Prometheus, in a registry of the application's own, and the log of requests."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from emonet.errors import require

LOG = logging.getLogger("emonet.serve")


class Metrics:
    """Counters of one application. Labels are routes, statuses and reasons: never names, keys or addresses."""

    def __init__(self) -> None:
        prometheus = require("prometheus_client", extra="serve", feature="The HTTP API")
        self._prometheus = prometheus
        self.registry = prometheus.CollectorRegistry()
        add: dict[str, Any] = {"registry": self.registry}
        self.requests = prometheus.Counter("emonet_requests", "Requests", ["route", "status"], **add)
        self.seconds = prometheus.Histogram("emonet_request_seconds", "Seconds of requests", ["route"], **add)
        self.refused = prometheus.Counter("emonet_refused", "Refused requests", ["code"], **add)
        self.batches = prometheus.Histogram(
            "emonet_batch_pieces", "Pieces a batch", buckets=(1, 2, 4, 8, 16, 32), **add
        )
        self.scoring = prometheus.Histogram("emonet_batch_seconds", "Seconds a batch", **add)
        self.waiting = prometheus.Gauge("emonet_requests_waiting", "Requests that wait for their turn", **add)
        self.present = prometheus.Gauge("emonet_requests_present", "Requests that wait or run", **add)
        self.streams = prometheus.Gauge("emonet_streams", "Open streams", **add)
        self.lag = prometheus.Histogram("emonet_stream_seconds", "Seconds from a stream's sound to its scores", **add)

    def batch(self, pieces: int, seconds: float) -> None:
        """One scored batch."""
        self.batches.observe(pieces)
        self.scoring.observe(seconds)

    def request(self, method: str, route: str, status: int, seconds: float, size: int, code: str) -> None:
        """One finished request."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        if code:
            self.refused.labels(code).inc()
        log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), bytes=size)

    def text(self) -> bytes:
        """In Prometheus's text format."""
        written: bytes = self._prometheus.generate_latest(self.registry)
        return written


def log(event: str, **fields: Any) -> None:
    """One line of JSON. Callers give no content, file name, key or address."""
    LOG.info("%s", json.dumps({"time": round(time.time(), 3), "event": event} | fields))
