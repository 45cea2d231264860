"""Headless Chromium, driven by its DevTools protocol over a pipe; Python's standard library only."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Browser:
    """One Chromium with a profile of its own, which is gone when it is closed."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.mkdtemp(prefix="posthouse-page-")
        (reads, self.write), (self.read, writes) = os.pipe(), os.pipe()
        # Out of the way of 3 and 4, which the protocol is spoken on.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (reads, writes)]

        def place():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        options = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-extensions",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                   "--no-proxy-server", f"--user-data-dir={self.profile}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        if not shutil.which(program):
            raise SystemExit(f"there is no {program}: apt-get install chromium")
        self.process = subprocess.Popen([program, *options, "about:blank"], pass_fds=(3, 4), preexec_fn=place,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (reads, writes, *ends):
            os.close(end)
        self.number, self.rest, self.answers, self.tabs = 0, b"", {}, {}

    def call(self, method, session=None, **parameters):
        """One command, and its result."""
        self.number += 1
        number, message = self.number, {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        octets = json.dumps(message).encode() + b"\0"
        while octets:
            octets = octets[os.write(self.write, octets):]
        end = time.monotonic() + 20
        while number not in self.answers:
            self.listen(end - time.monotonic())
            if time.monotonic() > end:
                raise TimeoutError(f"Chromium does not answer {method}")
        answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def listen(self, seconds):
        """Takes in what the browser says, if it says anything within this time."""
        if not select.select([self.read], [], [], max(0, seconds))[0]:
            return
        octets = os.read(self.read, 1 << 20)
        if not octets:
            raise RuntimeError("Chromium is gone; is it installed, and can it start?")
        *messages, self.rest = (self.rest + octets).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif message.get("sessionId") in self.tabs:
                self.tabs[message["sessionId"]].heard(message["method"], message["params"])

    def tab(self, **wishes):
        return Tab(self, **wishes)

    def close(self):
        try:
            self.call("Browser.close")
        except (RuntimeError, TimeoutError, OSError):
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Tab:
    """A page, with what it asked for and what it complained of."""

    def __init__(self, browser, scripts=True, policy=True):
        self.browser, self.requests, self.complaints, self.loaded = browser, [], [], False
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.tabs[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Page.setBypassCSP", enabled=not policy)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def heard(self, method, event):
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(event["args"]))
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(event["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")

    def open(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        self.until(lambda: self.loaded, "the page is loaded")

    def until(self, holds, what, seconds=15):
        """Waits until it holds; says what does not."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}")
            self.browser.listen(0.1)

    def asked(self, path):
        """How often it has asked for this."""
        return sum(url.endswith(path) for url in self.requests)

    def value(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def html(self):
        """The document as it is, also where no script runs."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        return self.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    def look(self, width, height=800, scheme="light", phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        with open(file, "wb") as picture:
            picture.write(base64.b64decode(shot["data"]))
