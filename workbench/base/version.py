"""The version of this distribution; pyproject reads it here."""

from __future__ import annotations

__version__ = "0.1.0"
