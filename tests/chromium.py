"""Headless Chromium on a string of the DevTools protocol: JSON messages over two pipes.

Chromium reads commands from descriptor 3 and writes answers and events to descriptor 4, each ended
by a null byte.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

KEYS = {
    **{"Tab": 9, "Enter": 13, "Delete": 46, "Home": 36, " ": 32, ".": 190, ",": 188},
    **{"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40},
}
SHIFT, CONTROL = 8, 2

FAINT = """
(function (least) {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    function ground(element) {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") { return colour; }
        }
        return "rgb(255, 255, 255)";
    }
    function luminance(colour) {
        const [r, g, b] = numbers(colour).map(c => c / 255)
            .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
        if (!text || !e.checkVisibility()) { continue; }
        const colour = e.closest("svg") ? getComputedStyle(e).fill : getComputedStyle(e).color;
        const [low, high] = [luminance(colour), luminance(ground(e))].sort((a, b) => a - b);
        found.push([(high + 0.05) / (low + 0.05), text.slice(0, 40), colour, ground(e)]);
    }
    return [found.length, found.filter(([contrast]) => contrast < least)];
})(LEAST)
"""


class Tab:
    """One page of the browser: what it was told, and what it complained about."""

    def __init__(self, write_to: int, read_from: int) -> None:
        self._write_to, self._read_from = write_to, read_from
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def attach(self) -> None:
        """Open a page and listen to it."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        answer = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = answer["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Carry out a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write_to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def wait(self, event: str) -> None:
        """Wait for an event that has not been seen since `open`."""
        while not any(seen["method"] == event for seen in self.events):
            self._receive()

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file and wait until it is ready."""
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri() + fragment)
        self.wait("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key, as a user does."""
        text = key if len(key) == 1 and not modifiers & CONTROL else ""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=KEYS.get(key) or ord(key.upper()),
                modifiers=modifiers,
                text={"Enter": "\r"}.get(key, text) if kind == "keyDown" else "",
            )

    def faint(self, least: float = 4.5) -> tuple[int, list[Any]]:
        """Return how many texts are visible, and those of less contrast with their ground."""
        number, found = self.evaluate(FAINT.replace("LEAST", str(least)))
        return number, found

    def resize(self, width: int, height: int = 800) -> None:
        """Make the window so many pixels wide."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str, media: str = "") -> None:
        """Choose light or dark, and screen or print."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def complaints(self) -> list[str]:
        """Return the errors and warnings of the console since `open`."""
        loud = {
            "Runtime.exceptionThrown": lambda p: p["exceptionDetails"]["text"],
            "Runtime.consoleAPICalled": lambda p: f"{p['type']}: {p['args']}",
            "Log.entryAdded": lambda p: f"{p['entry']['level']}: {p['entry']['text']}",
        }
        return [loud[e["method"]](e["params"]) for e in self.events if e["method"] in loud]

    def requests(self) -> list[str]:
        """Return the addresses asked for since `open`."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _receive(self) -> dict[str, Any]:
        """Return the next message, noting it if it is an event."""
        deadline = time.monotonic() + 60
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read_from], [], [], deadline - time.monotonic())
            chunk = os.read(self._read_from, 1 << 16) if ready else b""
            if not chunk:
                raise TimeoutError("Chromium says nothing")
            self._rest += chunk
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """Start Chromium with an empty profile and yield a page; end it afterwards."""
    import fcntl  # which Windows does not have

    if PROGRAM is None:
        raise RuntimeError("these tests need Chromium, such as apt-get install chromium")
    command_end, write_to = os.pipe()
    read_from, answer_end = os.pipe()
    # Out of the way of 3 and 4, where Chromium wants them
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (command_end, answer_end)]

    def place() -> None:
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    process = subprocess.Popen(
        [PROGRAM, *OPTIONS, f"--user-data-dir={profile}"],
        close_fds=False,
        preexec_fn=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (command_end, answer_end, *ends):
        os.close(end)
    try:
        tab = Tab(write_to, read_from)
        tab.attach()
        yield tab
    finally:
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            tab.send("Browser.close")
        os.close(write_to)
        os.close(read_from)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
