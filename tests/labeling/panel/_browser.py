"""A JupyterLab on localhost, and a headless Chromium that looks at it."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
# Seconds to wait for a condition before the test fails; a busy machine needs many.
PATIENCE = 90


def missing():
    """What is missing for a browser test, or an empty list."""
    programs = {"chromium": CHROMIUM, "chromedriver": CHROMEDRIVER}
    packages = ["ipykernel", "ipywidgets", "jupyterlab", "selenium"]
    absent = [name for name, path in programs.items() if path is None]
    return absent + [name for name in packages if find_spec(name) is None]


def wait_for(condition, what, *, patience=PATIENCE):
    """The first true value of a condition."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience} s in vain for: {what}")


@contextmanager
def jupyterlab(folder):
    """Serve a folder; gives the address of its notebooks and the token."""
    private = folder / "jupyter"
    config = private / "config" / "labconfig"
    config.mkdir(parents=True)
    # It asks whether to fetch news, in a box before the notebook.
    news = {"@jupyterlab/apputils-extension:announcements": True}
    page = json.dumps({"disabledExtensions": news})
    (config / "page_config.json").write_text(page, encoding="utf-8")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
        "IPYTHONDIR": str(private / "ipython"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--port=0", f"--ServerApp.root_dir={folder}"]
    # Lets scripts run commands of the application.
    command += ["--expose-app-in-browser"]
    with (
        (folder / "jupyterlab.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            yield wait_for(lambda: _address(private, server), "JupyterLab to start")
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            finally:
                server.kill()


def _address(private, server):
    assert server.poll() is None, "JupyterLab ended; see jupyterlab.log"
    for path in (private / "runtime").glob("jpserver-*.json"):
        text = path.read_text(encoding="utf-8")
        if text.endswith("}"):
            found = json.loads(text)
            return found["url"] + "lab/tree/{}?reset&token=" + found["token"]
    return None


@contextmanager
def chromium(folder):
    """Drive a headless Chromium that knows nothing but this machine."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--window-size=1200,1000",
        f"--user-data-dir={folder / 'chromium'}",
    ):
        options.add_argument(argument)
    # With its path given, selenium looks for no driver on the network.
    service = webdriver.ChromeService(executable_path=CHROMEDRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()


class Notebook:
    """A notebook in JupyterLab, by what a person sees and does."""

    def __init__(self, driver, address):
        self.driver = driver
        self.address = address

    def open(self, name):
        """Go to a notebook, and wait until its kernel can run cells."""
        self.driver.get(self.address.format(name))
        self.wait_until_ready()

    def reload(self):
        self.driver.refresh()
        self.wait_until_ready()

    def wait_until_ready(self):
        script = """
            const widget = window.jupyterapp?.shell.currentWidget;
            const session = widget?.context?.sessionContext;
            return Boolean(widget?.context?.isReady && session?.session?.kernel
                && session.session.kernel.connectionStatus === "connected"
                && session.session.kernel.status === "idle");
        """
        wait_for(lambda: self.driver.execute_script(script), "the notebook's kernel")

    def run_all(self):
        self.command("notebook:run-all-cells")

    def save(self):
        self.command("docmanager:save")

    def command(self, name):
        """Run a command of JupyterLab, and wait until it is done."""
        script = """
            const done = arguments[1];
            window.jupyterapp.commands.execute(arguments[0]).then(
                () => done(""), (error) => done(String(error)));
        """
        error = self.driver.execute_async_script(script, name)
        assert not error, error

    def find(self, selector, *, text=None, patience=PATIENCE):
        """The last visible element of a CSS selector, by its text if given."""
        what = selector if text is None else f"{selector} with {text!r}"
        return wait_for(lambda: self._find(selector, text), what, patience=patience)

    def _find(self, selector, text):
        from selenium.common.exceptions import StaleElementReferenceException

        try:
            for element in reversed(
                self.driver.find_elements("css selector", selector)
            ):
                if element.is_displayed() and (text is None or text in element.text):
                    return element
        except StaleElementReferenceException:
            return None
        return None
