"""Every vendor on loopback, one path prefix each, and a book of what it was asked."""

from clients.fake_provider.server import FakeProvider
from clients.fake_provider.wire import Seen

__all__ = ["FakeProvider", "Seen"]
