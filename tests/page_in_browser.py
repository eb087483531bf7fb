"""A page as a browser shows it: size, medium, colours, keys, console and network."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb", "--disable-dev-shm-usage",
)  # fmt: skip
CONTRAST = """
const luminance = c => { const [r, g, b] = c.map(v => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b };
const numbers = text => text.match(/[0-9.]+/g).map(Number);
const ground = e => { for (; e; e = e.parentElement) {
  const c = numbers(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] === 1) return c.slice(0, 3) } return [255, 255, 255] };
const worst = {};
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (!own || e.closest('defs, title, desc, .sep')) continue;
  const style = getComputedStyle(e), svg = e.closest('svg');
  const a = luminance(numbers(svg ? style.fill : style.color).slice(0, 3));
  const b = luminance(ground(svg ? svg.parentElement : e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) worst[e.tagName + '.' + (e.getAttribute('class') || '')] = ratio;
}
return worst;
"""


@dataclass
class Browser:
    driver: webdriver.Chrome
    folder: Path
    pages: int = 0

    def show(self, html: str) -> None:
        """Open a page from a file, as a person would who got it by mail."""
        self.pages += 1
        file = self.folder / f"page-{self.pages}.html"
        file.write_text(html, encoding="utf-8")
        self.size(1280, 800)
        self.console()  # forget what another page said
        self.requests()
        self.driver.get(file.as_uri())

    def size(
        self, width: int, height: int = 844, *, dark: bool = False, medium: str = "screen"
    ) -> None:
        """The same page on another screen, or on paper."""
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._cdp("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def press(self, key: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(getattr(Keys, key)).perform()

    def console(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def pdf(self) -> bytes:
        """As printed on A4, with the page's own margins."""
        self._cdp("Emulation.setEmulatedMedia", media="")
        printed = self.driver.execute_cdp_cmd(
            "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
        )
        return base64.b64decode(printed["data"])

    def picture(self) -> bytes:
        return self.driver.get_screenshot_as_png()

    def quit(self) -> None:
        self.driver.quit()

    def _cdp(self, command: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


def start(chromium: str, driver: str, folder: Path) -> Browser:
    options = Options()
    options.binary_location = chromium
    for switch in (*SWITCHES, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Browser(webdriver.Chrome(options=options, service=Service(driver)), folder)
