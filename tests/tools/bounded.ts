/**
 * What `work` resolves to, or, if that takes longer, that it does.
 *
 * @param listen Is given what sets the bound back, to be called whenever the work goes on.
 */
export async function bounded<T>(
  ms: number,
  work: Promise<T>,
  listen?: (restart: () => void) => void,
): Promise<T | string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const text = listen ? `told nothing for ${ms / 1000} s` : `took longer than ${ms / 1000} s`;
  const expired = new Promise<string>((resolve) => {
    const restart = () => {
      clearTimeout(timer);
      timer = setTimeout(() => resolve(text), ms);
    };
    restart();
    listen?.(restart);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    listen?.(() => {});
    clearTimeout(timer);
  }
}
