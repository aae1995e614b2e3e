"""A headless Chromium, for tests that need a real browser."""

import shutil
from contextlib import contextmanager
from importlib.util import find_spec

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
# Seconds to wait for a condition before the test fails; a busy machine needs many.
PATIENCE = 90


def missing(*packages):
    """What is missing for a browser test, or an empty list."""
    programs = {"chromium": CHROMIUM, "chromedriver": CHROMEDRIVER}
    absent = [name for name, path in programs.items() if path is None]
    return absent + [
        name for name in ("selenium", *packages) if find_spec(name) is None
    ]


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
