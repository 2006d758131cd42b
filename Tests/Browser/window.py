"""A browser, and how to wait for what it shows."""

import time

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.errorhandler import ErrorHandler


# What was looked at changed under our hands, as a live page may.
CHANGED = (JavascriptException, StaleElementReferenceException)


class Errors(ErrorHandler):
    """Between two documents the driver has no class of its own for a stale element, only words."""

    def check_response(self, response):
        try:
            super().check_response(response)
        except WebDriverException as error:
            if "does not belong to the document" in str(error.msg):
                raise StaleElementReferenceException(error.msg) from None
            raise


class Failed(Exception):
    pass


def demand(condition, reason):
    if not condition:
        raise Failed(reason)


def until(wanted, reason, seconds=15):
    """Asks again and again; returns what is wanted, or fails with the reason."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := wanted():
                return found
        except CHANGED:
            pass
        time.sleep(0.02)
    raise Failed(f"{reason() if callable(reason) else reason} (after {seconds} s)")


class Window:
    """A browser with a profile of its own."""

    def __init__(self, options):
        chrome = webdriver.ChromeOptions()
        chrome.binary_location = "/usr/bin/chromium"
        chrome.accept_insecure_certs = True
        chrome.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"]:
            chrome.add_argument(argument)
        self.driver = webdriver.Chrome(options=chrome, service=Service("/usr/bin/chromedriver"))
        self.driver.error_handler = Errors()
        self.options = options
        self.run = self.driver.execute_script

    def open(self, path):
        self.driver.get(self.options.base + path)

    def go(self, fragment):
        self.run("location.hash = arguments[0]", fragment)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return until(lambda: next((e for e in self.all(selector) if e.is_displayed()), None), f"no {selector} in sight")

    def text(self, selector="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def fetch(self, path):
        """JSON of the API, asked for by the page."""
        return self.driver.execute_async_script(
            "fetch(arguments[0]).then((r) => r.json()).then(arguments[1], (e) => arguments[1](String(e)))", path
        )

    def sign_in(self, password, name=None):
        self.one("#sign-in [name=name]").clear()
        self.one("#sign-in [name=name]").send_keys(name or self.options.user)
        self.one("#sign-in [name=password]").clear()
        self.one("#sign-in [name=password]").send_keys(password, Keys.ENTER)

    def enter(self):
        self.open("/")
        self.sign_in(self.options.password)
        until(lambda: self.all("#stream[data-live=yes]"), "the page is not live after signing in")

    def size(self, width, height, scheme="light"):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )

    def picture(self, name):
        if self.options.screenshots:
            self.options.screenshots.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(self.options.screenshots / f"{name}.png"))

    def complaints(self):
        """What the console says, but for the refusals that are asked for here."""
        expected = [
            ("status of 401 ", "/api/v1/session - "),
            ("status of 401 ", "/api/v1/fleet - "),
            ("status of 401 ", "/api/v1/login - "),
            ("status of 400 ", "/api/v1/maintenance - "),
            ("status of 400 ", "/api/v1/plans - "),
        ]
        lines = [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
        return [line for line in lines if not any(why in line and where in line for why, where in expected)]
