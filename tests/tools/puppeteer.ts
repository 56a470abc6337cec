/**
 * Chromium and Firefox, by their own remote protocols. For tests and benches.
 *
 * @module
 */
import puppeteer, { type Browser as PuppeteerBrowser, type LaunchOptions } from "puppeteer-core";
import type { Browser, Page } from "./browser.ts";

/** Launches Chromium. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return launch({
    executablePath,
    // Where it runs as root, or in a container, it has no sandbox; it sees our own pages alone.
    args: [
      ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
      // WebRTC leaves the loopback interface out otherwise, which may be the only one.
      ...["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"],
    ],
    // It ends with us, however we end.
    pipe: true,
  });
}

/** Launches Firefox. */
export function launchFirefox(executablePath: string): Promise<Browser> {
  return launch({
    executablePath,
    browser: "firefox",
    // As above, and addresses as they are: names by mDNS take a network.
    extraPrefsFirefox: {
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
}

async function launch(options: LaunchOptions): Promise<Browser> {
  const browser = await puppeteer.launch({
    ...options,
    headless: true,
    timeout: 60_000,
    protocolTimeout: 60_000,
  });
  return {
    open: (url) => open(browser, url),
    async close() {
      const child = browser.process();
      const killHard = setTimeout(() => child?.kill("SIGKILL"), 5_000);
      // It may be what hangs.
      await browser.close().catch(() => child?.kill("SIGKILL"));
      clearTimeout(killHard);
      return "";
    },
  };
}

async function open(browser: PuppeteerBrowser, url: string): Promise<Page> {
  const page = await browser.newPage();
  const lost = new Promise<string>((resolve) => {
    page.once("error", (error) => resolve(String(error)));
    browser.once("disconnected", () => resolve("the browser has ended"));
  });
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.bringToFront();
  return { lost, close: () => page.close() };
}
