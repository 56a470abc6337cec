/**
 * WebKit, as WebKitGTK's MiniBrowser on an X server without a screen, by WebDriver.
 *
 * @module
 */
// @ts-types="@types/selenium-webdriver"
import { Builder, type WebDriver } from "selenium-webdriver";
import { bounded } from "./bounded.ts";
import type { Browser, Page } from "./browser.ts";
import { Program } from "./program.ts";

const startMs = 60_000;
const endMs = 5_000;
/** A script's bound, which WebDriver insists on; the files have their own. */
const scriptMs = 24 * 60 * 60 * 1000;

/** Its start is held back until then, as the driver sets a timer in the page, which tests would see. */
const untilFinished = `
  const [callback] = arguments;
  globalThis.begin();
  if (globalThis.testsFinished) callback();
  else addEventListener("testsfinished", () => callback());
`;

/** Launches it. */
export async function launchWebKit(executable: string): Promise<Browser> {
  const display = new Program(["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]);
  const programs = [display];
  // Its browser ends when the display does, however stuck it is.
  const stop = async () => {
    for (const program of programs) await program.stop();
  };
  try {
    const port = freePort();
    const env = { DISPLAY: `:${await display.line()}` };
    programs.unshift(new Program([executable, `--port=${port}`], { env }));
    await listening(port);
    const session = new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities({ browserName: "MiniBrowser", timeouts: { script: scriptMs } })
      .build();
    const driver = await bounded(startMs, Promise.resolve(session));
    if (typeof driver === "string") throw new Error(`A session ${driver}`);
    const first = await driver.getWindowHandle();
    return {
      open: (url) => open(driver, url, first),
      async close() {
        // It may be what hangs, or have crashed.
        await bounded(endMs, driver.quit().catch(String));
        await stop();
        return programs[0].output;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Opens a window, as a tab of the first one would not be in front. */
async function open(driver: WebDriver, url: string, first: string): Promise<Page> {
  await driver.switchTo().newWindow("window");
  await driver.get(`${url}#held`);
  // A command that is under way when the page crashes is told so.
  const over = driver.executeAsyncScript(untilFinished);
  const lost = over.then(() => new Promise<string>(() => {}), String);
  return {
    lost,
    async close() {
      // The driver crashes at times if a window is closed with a command under way.
      await over;
      await driver.close();
      await driver.switchTo().window(first);
    },
  };
}

/** The driver does not tell which port it has. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function listening(port: number): Promise<void> {
  const latest = performance.now() + startMs;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > latest) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
