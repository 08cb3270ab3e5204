"""Says how to install what the store needs, before its modules are imported."""

from emonet.errors import require

require("sqlalchemy", extra="annotation", feature="The annotation store")
