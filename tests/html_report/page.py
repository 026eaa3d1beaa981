"""What a report's page is asked in the browser, as functions for `page.evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

# regions that can be scrolled and are shown: in a closed details nothing is
SCROLLING = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth)
  .map(e => ({label: e.getAttribute('aria-label') || '', tab: e.tabIndex, text: e.textContent.slice(0, 60)}))"""
# elements that reach beyond the window's right edge and are in no scrolling region
BEYOND = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
  .filter(e => { for (let p = e.parentElement; p; p = p.parentElement)
      if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return false; return true; })
  .map(e => e.outerHTML.slice(0, 120))"""
# tables, their cells and what holds them whose contents reach out of them: cut, or to be scrolled to
CUT_CELLS = """() => [...document.querySelectorAll('table')].filter(t => t.checkVisibility())
  .flatMap(t => [t, t.parentElement, ...t.querySelectorAll('caption, th, td')])
  .filter(e => e.scrollWidth > e.clientWidth && ![e, e.closest('thead')].some(o => o && getComputedStyle(o).clipPath !== 'none'))
  .map(e => `${e.tagName} ${e.scrollWidth} > ${e.clientWidth}: ${e.textContent.trim().slice(0, 60)}`)"""
# (tables whose rows are cards, all tables)
STACKED = """() => { const shown = [...document.querySelectorAll('table')].filter(t => t.checkVisibility());
  return [shown.filter(t => getComputedStyle(t).display === 'block').length, shown.length] }"""
# the height in pixels of every text of every picture, as shown
TEXT_HEIGHTS = """() => [...document.querySelectorAll('svg')].filter(s => s.checkVisibility()).flatMap(s => {
  const scale = s.getBoundingClientRect().width / s.viewBox.baseVal.width;
  return [...s.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize) * scale)})"""
# texts of pictures that reach out of their picture
CUT_TEXTS = """() => [...document.querySelectorAll('svg')].filter(s => s.checkVisibility()).flatMap(s => {
  const box = s.getBoundingClientRect();
  return [...s.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();
    return r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1 })
  .map(t => t.textContent)})"""
TABLES = """() => [...document.querySelectorAll('table')].map(t => ({
  caption: t.caption ? t.caption.textContent.trim() : '',
  rows: [...t.tBodies].flatMap(b => [...b.rows]).map(r => [...r.cells].map(c => c.textContent.trim()))}))"""
PICTURES = """() => [...document.querySelectorAll('svg')].map(s => { const f = s.closest('figure');
  return {caption: f && f.querySelector('figcaption') ? f.querySelector('figcaption').textContent.trim() : '',
    hidden: s.getAttribute('aria-hidden') === 'true',
    alternative: (s.closest('[role=img][aria-label]') || {getAttribute: () => ''}).getAttribute('aria-label'),
    tables: f ? f.querySelectorAll('table').length : 0,
    said: f ? f.textContent.length - s.textContent.length : 0}})"""
# what the policy refuses when a stranger's markup tries: (directives refused, whether a script ran)
ATTACK = """() => new Promise(done => {
  const refused = [];
  document.addEventListener('securitypolicyviolation', e => refused.push(e.effectiveDirective));
  const script = document.createElement('script'); script.textContent = 'window.owned = 1';
  const far = document.createElement('script'); far.src = 'https://attacker.invalid/x.js';
  const image = document.createElement('img'); image.src = 'https://attacker.invalid/x.png';
  const style = document.createElement('style'); style.textContent = 'body{display:none}';
  const frame = document.createElement('iframe'); frame.src = 'https://attacker.invalid/';
  const box = document.createElement('div'); box.innerHTML = '<p style="color:red" onclick="window.owned=2">x</p>';
  document.body.append(script, far, image, style, frame, box);
  box.firstChild.click();
  setTimeout(() => { const shown = getComputedStyle(document.body).display;
    [script, far, image, style, frame, box].forEach(e => e.remove());
    done({refused, owned: window.owned ?? null, shown}) }, 300) })"""


def watched(page: Page) -> dict[str, list[Any]]:
    """Lists that fill with what the page does from now on: requests, console errors, exceptions, dialogs."""
    seen: dict[str, list[Any]] = {"requests": [], "errors": [], "dialogs": []}

    def dialog(one: Any) -> None:
        seen["dialogs"].append(one.message)
        one.dismiss()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            seen["errors"].append(message.text)

    page.on("request", lambda request: seen["requests"].append(request.url))
    page.on("console", console)
    page.on("pageerror", lambda error: seen["errors"].append(str(error)))
    page.on("dialog", dialog)
    return seen


def visit(page: Page, file: Path) -> dict[str, list[Any]]:
    """Opens the file, scrolls through it and unfolds all of it; what was seen on the way."""
    seen = watched(page)
    page.goto(file.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate("() => { for (let y = 0; y < document.body.scrollHeight; y += 800) scrollTo(0, y) }")
    page.wait_for_timeout(200)
    return seen


def brightness(page: Page, picture: bytes) -> tuple[float, float]:
    """The mean brightness of a PNG and that of its upper left corner, 0 (black) to 1: decoded by the browser, on `page`."""
    import base64

    page.goto("about:blank")
    values = page.evaluate(
        """async picture => { const image = new Image(); image.src = 'data:image/png;base64,' + picture; await image.decode();
          const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
          const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);
          const data = pen.getImageData(0, 0, image.width, image.height).data; let sum = 0;
          for (let n = 0; n < data.length; n += 4) sum += data[n] + data[n + 1] + data[n + 2];
          return [sum / (data.length / 4) / 765, (data[0] + data[1] + data[2]) / 765] }""",
        base64.b64encode(picture).decode(),
    )
    return values[0], values[1]
