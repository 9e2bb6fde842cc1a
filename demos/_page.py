"""The playground as one page for a browser, with nothing to install and no network."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from string import Template

import _presets
import _scene

PARTS = Path(__file__).resolve().parent / "playground_page"


def html() -> str:
    """Return the page: template, style, rules and script in one file.

    Its policy lets nothing run but these scripts, and nothing be loaded from anywhere.
    """
    style, rules, script = (_text(name) for name in ("page.css", "rules.js", "page.js"))
    scripts = " ".join(f"'{_hash(text)}'" for text in (rules, script))
    return Template(_text("page.html")).substitute(
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        data=json.dumps(_data()).replace("<", r"\u003c"),
        rules=rules,
        script=script,
    )


def _data():
    """Return what the scripts are told: the scenes, in whole numbers of the grid, and bounds."""
    names = list(_scene.SHOWN)
    return {
        "scenes": [
            {
                "title": preset.title,
                "story": preset.story,
                "question": preset.question,
                "hint": preset.hint,
                "good": _presets.units(preset.scene.good).tolist(),
                "bad": _presets.units(preset.scene.byzantine).tolist(),
                "s": preset.scene.s,
                "shown": [names.index(name) for name in preset.shown],
                "target": names.index(preset.target),
            }
            for preset in _presets.presets()
        ],
        "labels": [rule.label for rule in _scene.SHOWN.values()],
        "edge": int(_scene.REACH / _presets.GRID),
        "most": _scene.MOST,
    }


def _text(name):
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
