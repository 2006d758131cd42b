"""Looks at a running monitor's pages as a person does, in headless Chromium.

    dashboard.py BASE_URL USER PASSWORD_FILE [--nodes N] [--push-url-file FILE] [--screenshots DIR]
                 [--program clavitor-monitor --data DIR]

Prints a line for each check, and exits 1 at the first that fails, with the reason. Wants selenium from PyPI, and
Debian's chromium and chromium-driver. FILE holds the push URL of a node that nobody else pushes for: an incident is
made with it (at most four times in half an hour, or the node counts as flapping). Without one, some incident that
nobody has acknowledged has to be open or to come within a minute. With the program and its data another operator gets
a second factor and signs in.
"""

import argparse
import base64
import hashlib
import hmac
import pathlib
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scripts import ASKED, CONTRAST, GAPS, PAINT
from window import CHANGED, Failed, Window, demand, until

INJECTION = '<img src=x onerror="document.title=1">'


def one_time_password(uri):
    """RFC 6238, as an authenticator app has it from the URI."""
    seed = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["secret"][0]
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.new(key, struct.pack(">q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Checks:
    def __init__(self, options):
        self.options = options
        self.window = Window(options)
        self.other = None

    def signing_in(self):
        w = self.window
        w.open("/")
        w.sign_in("surely not this one")
        until(lambda: "Wrong name or password" in w.text("#sign-in .wrong"), "a wrong password is not called wrong")
        w.sign_in(self.options.password)
        until(lambda: w.all("#stream[data-live=yes]"), "the page is not live after signing in")
        return "a wrong password is refused in words, the right one leads in"

    def the_fleet(self):
        w = self.window
        fleet = w.fetch("/api/v1/fleet")
        names = {node["name"] for node in fleet["nodes"]}
        wanted = self.options.nodes or len(names)
        demand(len(names) == wanted, f"the API has {len(names)} nodes, not {wanted}")
        shown = lambda: set(w.run("return [...document.querySelectorAll('#table tbody th')].map((e) => e.innerText)"))
        until(lambda: shown() == names, lambda: f"the table lacks or invents: {sorted(shown() ^ names)[:3]}")
        places = sum("latitude" in node for node in fleet["nodes"])
        dots = len(w.all("#dots a"))
        demand(dots == places, f"{dots} dots on the map for {places} nodes with a place")
        demand(w.one("#overall").text, "the overall state is not in words")
        return f"{len(names)} nodes in the table, {dots} on the map; overall: {w.one('#overall').text}"

    def filtering(self):
        w = self.window
        name = w.all("#table tbody th")[-1].text or w.run("return document.querySelector('#table tbody th').innerText")
        w.driver.find_element(By.TAG_NAME, "body").send_keys("/")
        demand(w.driver.switch_to.active_element.get_attribute("id") == "filter", "/ does not lead to the filter")
        w.keys(name)
        shown = lambda: w.run(
            "return [...document.querySelectorAll('#table tbody tr:not([hidden]) th')].map((e) => e.innerText)"
        )
        until(
            lambda: shown() and all(name in each for each in shown()), lambda: f"the filter {name} shows {shown()[:3]}"
        )
        found = len(shown())
        w.keys(Keys.CONTROL + "a", Keys.BACKSPACE)
        until(lambda: len(shown()) == len(w.all("#table tbody tr")), "an empty filter hides rows")
        return f"/ leads to the filter; {name} leaves {found}"

    def sorting(self):
        w = self.window
        column = w.run("""const all = [...document.querySelectorAll("#table thead th")];
            return all.findIndex((e) => e.innerText.startsWith("RAM"))""")
        read = lambda: w.run(
            """return [...document.querySelectorAll("#table tbody tr")].map((row) =>
            parseFloat(row.cells[arguments[0]].textContent)).filter((value) => !isNaN(value))""",
            column,
        )
        for direction in ["ascending", "descending"]:
            w.run("document.querySelectorAll('#table thead button')[arguments[0]].click()", column)
            sign = 1 if direction == "ascending" else -1
            until(lambda: (v := read()) == sorted(v, key=lambda x: sign * x), f"RAM is not sorted {direction}")
            demand(
                w.all(f"#table thead th:nth-child({column + 1})[aria-sort={direction}]"), "aria-sort does not say so"
            )
        w.run("document.querySelectorAll('#table thead button')[1].click()")
        return "by RAM up and down, and aria-sort says so"

    def the_keyboard(self):
        w = self.window
        w.run("document.querySelector('.skip').focus()")
        seen = []
        for _ in range(300):
            w.keys(Keys.TAB)
            try:
                if focused := self.named_focus(seen):
                    break
            except CHANGED:
                continue
        demand(focused and {"theme", "sign-out", "filter"} <= set(seen), f"the tab key does not reach all: {seen}")
        name = focused.text
        focused.send_keys(Keys.ENTER)
        until(lambda: w.text("#page h1") == name, f"Enter on {name} does not lead to its page")
        w.driver.back()
        until(lambda: w.one("#fleet"), "the way back does not lead to the fleet")
        if w.all("#dots a"):
            w.run("document.querySelector('#dots a[tabindex=\"0\"]').focus()")
            before = w.driver.switch_to.active_element.accessible_name
            w.keys(Keys.ARROW_RIGHT)
            after = w.driver.switch_to.active_element.accessible_name
            demand(len(w.all("#dots a")) == 1 or before != after, "the arrow keys do not go from dot to dot")
        return f"{len(seen)} stops to the first row, each named and visible; Enter opens {name}"

    def named_focus(self, seen):
        """Checks what has the focus; returns it when it is the first row's."""
        w = self.window
        focused = w.driver.switch_to.active_element
        if focused.tag_name == "body":
            return None
        seen.append(focused.get_attribute("id") or focused.text or focused.tag_name)
        demand(focused.accessible_name, f"the {focused.tag_name} after {seen[-3:]} has no name")
        visible = w.run(
            """const s = getComputedStyle(arguments[0]), p = arguments[0].querySelector("path");
            return s.outlineStyle !== "none" || Boolean(p) && getComputedStyle(p).strokeWidth === "3px" """,
            focused,
        )
        demand(visible, f"nobody sees that {seen[-1]} has the focus")
        return focused if focused.find_elements(By.XPATH, "self::a/ancestor::tbody") else None

    def a_node(self):
        w = self.window
        name = next(node["name"] for node in w.fetch("/api/v1/fleet")["nodes"] if node.get("body"))
        w.go(f"#/nodes/{name}")
        # A node that has just come has no full minute yet.
        until(lambda: w.text("#page h1") == name and w.all(".charts > *"), "no page with charts, or words instead")
        until(lambda: len(w.all(".charts figure")) == 6, "no six charts", 150)
        drawn = lambda: (w.run("return document.querySelector('.charts .series').getAttribute('d')") or "").count("M")
        cpu = w.fetch(f"/api/v1/nodes/{name}/history?days=1")["series"]["cpu_pct"]
        runs = sum(v is not None and (i == 0 or cpu[i - 1] is None) for i, v in enumerate(cpu))
        until(lambda: abs(drawn() - runs) <= 1, lambda: f"{drawn()} lines drawn for {runs} with gaps between")
        w.run("document.querySelector('.charts summary').click()")
        beats = w.fetch(f"/api/v1/nodes/{name}/history?days=1")["beats"]
        first = next(i for i, count in enumerate(beats) if count is not None)
        hours = -(-(len(beats) - min(first, len(beats) - 10)) // 60)
        rows = lambda: len(w.all(".charts details[open] tbody tr"))
        until(lambda: rows() in (hours, hours + 1), lambda: f"the table beside the chart has {rows()} hours, not {hours}")
        w.picture("node")
        # A fleet that has just begun has no gaps: these are made.
        w.run(GAPS)
        w.one(".tools-line button:nth-child(2)").click()
        until(lambda: drawn() == 3, lambda: f"{drawn()} lines drawn for 3 with gaps between")
        w.run("window.fetch = window.trueFetch")
        body = w.fetch(f"/api/v1/nodes/{name}")["node"]["body"]
        demand(body.get("version", "") in w.text(), "the version is not shown")
        demand("Certificate" in w.text(), "no certificate countdown")
        return f"{name}: six charts with gaps as gaps, a table beside each, figures"

    def an_incident(self):
        """Acknowledged in one window, and seen in another one that does nothing."""
        w = self.window
        w.go("#/")
        until(lambda: not w.fetch("/api/v1/fleet")["evaluationPaused"], "the monitor stays in its evaluation pause", 180)
        self.other = o = Window(self.options)
        o.enter()
        is_done = threading.Event()
        if self.options.push_url:
            is_over = lambda: (
                self.push("up") and all(i["rule"] != "down" for i in w.fetch("/api/v1/fleet")["incidents"])
            )
            until(is_over, "what an earlier run left open does not end")
            threading.Thread(target=self.push_down, args=(is_done,), daemon=True).start()
        find = """return [...document.querySelectorAll("#open-list > li:has(> p [data-do=acknowledge])")]
            .map((e) => e.querySelector("a").hash)"""
        try:
            if self.options.push_url:
                item = until(
                    lambda: self.acknowledgeable(w, "reports that it is down"), "the push of `down` opens nothing"
                )
            else:
                item = until(lambda: (w.run(find) or [None])[0], "no incident that can be acknowledged", 60)
            until(lambda: item in o.run(find), "the other window does not show the incident")
            press = f"""document.querySelector('#open-list a[href="{item}"]').closest("li")
                .querySelector("[data-do=acknowledge]").click()"""
            w.run(press)
            w.one("#dialog")
            w.keys(Keys.ESCAPE)
            until(lambda: not w.all("#dialog[open]"), "Escape does not close the dialog")
            w.run(press)
            w.one("#dialog [name=note]").send_keys(INJECTION)
            pressed = time.monotonic()
            w.one("#dialog-send").click()
            seen = lambda: (
                o.run(f"""return document.querySelector('#open-list a[href="{item}"]')?.closest("li").innerText""")
                or ""
            )
            until(
                lambda: f"Acknowledged by {self.options.user}: {INJECTION}" in seen(),
                "the other window does not see it",
            )
            took = time.monotonic() - pressed
            until(lambda: not w.all("#dialog[open]"), "the dialog stays open")
            demand(not o.all("#open-list img") and o.driver.title != "1", "a note is read as markup")
            w.picture("incident-list")
            w.open(item.replace("#", "").replace("//", "/"))
            until(lambda: "Acknowledged" in w.text(".timeline"), "the address of a notification leads to no timeline")
            w.picture("incident")
        finally:
            is_done.set()
        return f"acknowledged, and seen elsewhere after {1000 * took:.0f} ms; a note stays a text"

    def acknowledgeable(self, window, words):
        return window.run(
            """return [...document.querySelectorAll("#open-list > li:has(> p [data-do=acknowledge])")]
            .find((e) => e.innerText.includes(arguments[0]))?.querySelector("a").hash""",
            words,
        )

    def push_down(self, is_done):
        while not is_done.wait(0.5):
            self.push("down")

    def push(self, status):
        time.sleep(0.25)
        query = urllib.parse.urlencode({"status": status, "msg": INJECTION})
        try:
            with urllib.request.urlopen(
                f"{self.options.push_url}?{query}", context=ssl._create_unverified_context(), timeout=10
            ):
                return True
        except OSError as error:
            print(f"a push failed: {error}", file=sys.stderr)
            return False

    def planned_work(self):
        w = self.window
        w.go("#/maintenance")
        name = self.window.fetch("/api/v1/fleet")["nodes"][0]["name"]
        w.one(".maintenance-form [name=nodes]").send_keys("no-such-node")
        w.one(".maintenance-form [name=reason]").send_keys("cables")
        w.one(".maintenance-form button.main").click()
        until(lambda: "no node no-such-node" in w.text(".maintenance-form .wrong"), "an unknown node is not refused in words")
        w.one(".maintenance-form [name=nodes]").clear()
        w.one(".maintenance-form [name=nodes]").send_keys(name)
        w.one(".maintenance-form button.main").click()
        until(lambda: "cables" in w.text("#page table"), "planned work is not listed")
        state = lambda: self.other.run(
            """return [...document.querySelectorAll("#table tbody tr")]
            .find((e) => e.cells[0].innerText === arguments[0]).cells[1].innerText""",
            name,
        )
        until(lambda: state().startswith("Maintenance"), lambda: f"the other window calls {name} {state()}")
        w.picture("work")
        w.run("document.querySelector('#page [data-do=end]').click()")
        w.one("#dialog-send").click()
        until(lambda: "cables" not in w.text("#page table") and not w.all("#dialog[open]"), "it does not end")
        until(lambda: not state().startswith("Maintenance"), "the other window does not see the end")
        return f"begun for {name} and ended, seen in both windows"

    def work_of_each_week(self):
        w = self.window
        w.go("#/maintenance")
        name = w.fetch("/api/v1/fleet")["nodes"][0]["name"]
        w.one(".maintenance-form [name=nodes]").send_keys(name)
        w.one(".maintenance-form [name=reason]").send_keys("new disks")
        w.one(".maintenance-form [name=later]").click()
        zone = w.one(".maintenance-form [name=zone]")
        demand(zone.get_attribute("value"), "the browser's own time zone is not offered")
        zone.clear()
        zone.send_keys("Mars/Olympus")
        w.run("document.querySelector('.maintenance-form [name=start]').value = '2031-03-05T02:30'")
        w.one(".maintenance-form [name=isWeekly]").click()
        w.one(".maintenance-form button.main").click()
        until(lambda: "no time zone" in w.text(".maintenance-form .wrong"), "an unknown time zone is not refused in words")
        zone.clear()
        zone.send_keys("Europe/Berlin")
        w.one(".maintenance-form button.main").click()
        until(
            lambda: "each Wednesday at 02:30, Europe/Berlin" in w.text("#page"),
            lambda: f"what comes each week is not listed: {w.text('#page')}",
        )
        plan = w.fetch("/api/v1/fleet")["plans"][0]
        # 02:30 in Berlin is 01:30 by UTC in winter.
        demand(plan["next"] == 1_930_440_600_000, f"it begins at {plan['next']}")
        w.picture("plans")
        w.run("document.querySelector('#page [data-do=remove]').click()")
        w.one("#dialog-send").click()
        until(lambda: "new disks" not in w.text("#page") and not w.all("#dialog[open]"), "the plan stays")
        return f"planned for {name} by Berlin's clocks and removed"

    def look_alike(self, w, page):
        """A page in light and dark, on a desk and on phones: readable, and no wider than the screen."""
        for scheme in ["light", "dark"]:
            for width, height in [(1400, 1000), (390, 844), (360, 780)]:
                w.size(width, height, scheme)
                time.sleep(0.3)
                # What has just come is drawn from one colour to another, and a page takes its time to change all of them.
                until(
                    lambda: not w.run("document.getAnimations().forEach((a) => a.finish());" + CONTRAST),
                    lambda: f"too little contrast on {page}, {scheme}: {w.run(CONTRAST)}",
                )
                wide = w.run("return document.documentElement.scrollWidth")
                demand(wide <= width, f"{page} is {wide} pixels wide on a screen of {width}")
                w.picture(f"{page}-{scheme}-{width}")
        w.size(1400, 1000, "light")

    def looks(self):
        w = self.window
        fleet = w.fetch("/api/v1/fleet")
        pages = [
            ("#/", "fleet"),
            ("#/incidents", "history"),
            ("#/maintenance", "maintenance"),
            ("#/channels", "channels"),
            (f"#/nodes/{fleet['nodes'][0]['name']}", "node"),
            (f"#/incidents/{fleet['incidents'][0]['id']}", "incident"),
        ]
        for fragment, page in pages:
            w.go(fragment)
            until(lambda: w.all("#open-list > li" if page == "fleet" else "#page h1"), f"no {page}")
            self.look_alike(w, page)
        ground = lambda: w.run("return getComputedStyle(document.documentElement).backgroundColor")
        before = ground()
        for _ in range(2):
            w.one("#theme").click()
        demand(ground() != before, "the switch does not make it dark")
        w.driver.refresh()
        until(lambda: w.all("#stream[data-live=yes]"), "not live after a reload")
        demand(ground() != before, "the choice of dark is forgotten")
        w.one("#theme").click()
        return "light and dark, 1,400, 390 and 360 px: contrast 4.5, no sideways scrolling; the switch is remembered"

    def first_paint(self):
        w = self.window
        count = len(w.fetch("/api/v1/fleet")["nodes"])
        w.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": PAINT % count})
        results = []
        for _ in range(5):
            w.open("/status")
            w.open("/")
            rows = until(lambda: w.run("return window.allRowsAt"), "the rows do not come")
            painted = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            first = until(lambda: w.run(painted), "nothing was painted")
            results.append((first, rows))
        first, rows = (sorted(values)[2] for values in zip(*results))
        return f"first contentful paint {first:.0f} ms, all {count} rows painted {rows:.0f} ms (middle of 5)"

    def the_public_page(self):
        w = self.window
        names = [node["name"] for node in w.fetch("/api/v1/fleet")["nodes"]]
        self.other.driver.delete_all_cookies()
        self.other.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ASKED})
        self.other.open("/status")
        until(lambda: self.other.text("#updated"), "the public page says nothing")
        asked = self.other.run("return window.asked")
        demand(set(asked) == {"/api/v1/status"}, f"the public page asks for {asked}")
        told = self.other.run("return document.documentElement.outerHTML") + str(self.other.fetch("/api/v1/status"))
        leaked = [name for name in names if name in told]
        demand(not leaked, f"the public page names {leaked[:3]}")
        self.look_alike(self.other, "status")
        return f"{self.other.text('#overall')}; none of {len(names)} names"

    def a_second_factor(self):
        program, password = [self.options.program, "operator"], "another five words for this\n"
        where = ["--data", self.options.data]
        subprocess.run([*program, "add", "guarded", *where], input=password, text=True, check=True, timeout=60)
        turn_on = [*program, "totp", "guarded", *where]
        with subprocess.Popen(turn_on, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdin.write(password)
            process.stdin.flush()
            uri = process.stdout.readline().strip()
            said, _ = process.communicate(one_time_password(uri) + "\n", timeout=60)
        demand(process.returncode == 0 and "needs a code" in said, f"no second factor: {said}")
        w = self.other
        w.open("/")
        w.one("#sign-in [name=name]")
        demand(not w.one("#sign-in").find_element(By.NAME, "code").is_displayed(), "everyone is asked for a code")
        w.sign_in(password.strip(), "guarded")
        code = w.one("#sign-in [name=code]")
        demand(not w.all("#table tbody tr"), "rows without a code")
        code.send_keys("000000", Keys.ENTER)
        until(lambda: "Wrong code" in w.text("#sign-in .wrong"), "a wrong code is not called wrong")
        # The one that turned it on may be of this half minute, and works once.
        code.clear()
        code.send_keys(one_time_password(uri), Keys.ENTER)
        until(lambda: w.all("#table tbody tr"), lambda: f"the code does not lead in: {w.text('#sign-in')}")
        return "asked for once the password is right; a wrong code is refused in words, the right one leads in"

    def signing_out(self):
        self.window.one("#sign-out").click()
        self.window.one("#sign-in")
        demand(not self.window.all("#table tbody tr"), "rows stay after signing out")
        self.look_alike(self.window, "sign-in")
        return "leads to the form and leaves nothing"

    def the_console(self):
        for window in [self.window, self.other]:
            complaints = window.complaints()
            demand(not complaints, complaints[:2])
        return "no errors, and nothing against the content security policy"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=lambda url: url.rstrip("/"))
    parser.add_argument("user")
    parser.add_argument("password_file", type=pathlib.Path)
    parser.add_argument("--nodes", type=int)
    parser.add_argument("--push-url-file", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--program")
    parser.add_argument("--data")
    options = parser.parse_args()
    options.password = options.password_file.read_text().strip()
    options.push_url = options.push_url_file and options.push_url_file.read_text().strip()
    checks = Checks(options)
    order = [
        checks.signing_in,
        checks.the_fleet,
        checks.filtering,
        checks.sorting,
        checks.the_keyboard,
        checks.a_node,
        checks.an_incident,
        checks.planned_work,
        checks.work_of_each_week,
        checks.looks,
        checks.first_paint,
        checks.the_public_page,
        *([checks.a_second_factor] if options.program else []),
        checks.signing_out,
        checks.the_console,
    ]
    try:
        for check in order:
            name = check.__name__.replace("_", " ")
            try:
                try:
                    said = check()
                except CHANGED:
                    said = check()
                print(f"ok    {name}: {said}", flush=True)
            except (Failed, *CHANGED) as failure:
                print(f"FAIL  {name}: {failure}; console: {checks.window.complaints()}", flush=True)
                checks.window.picture("failed")
                return 1
    finally:
        for window in [checks.window, checks.other]:
            if window:
                window.driver.quit()
    return 0


sys.exit(main())
