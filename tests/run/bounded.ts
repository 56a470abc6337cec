/** What `work` resolves to, or, if that takes longer, that it does. */
export async function bounded<T>(ms: number, work: Promise<T>): Promise<T | string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`took longer than ${ms / 1000} s`), ms);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
