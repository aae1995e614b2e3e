"""A JupyterLab on localhost, and its notebooks as a browser sees them."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

from tests._chromium import PATIENCE


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
