"""Texts in English and German: one catalogue file a language (`en.toml`, `de.toml`)."""

from __future__ import annotations

from pipeline.i18n.texts import LANGUAGES, Texts, locale_language

__all__ = ["LANGUAGES", "Texts", "locale_language"]
