/**
 * Removes a folder in which programs that are about to end may still write: what they put there while it is being removed
 * goes with the next try.
 *
 * @throws {Error} if it cannot be removed in twenty seconds
 */
export async function removeFolder(path: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (true) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      const isWrittenTo = error instanceof Error && /not empty|os error 39/i.test(error.message);
      if (!isWrittenTo || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
