/** Lets others have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * Does work that may not come to its end: nobody waits longer for it, whether or not it heeds the signal.
 *
 * @param ms how long it may take
 * @param end gives it up earlier
 * @param late what it is rejected with when the time is over
 * @throws {Error} what the work throws, `late`, or the reason of `end`
 */
export async function patiently<Result>(
  ms: number,
  end: AbortSignal,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  end.throwIfAborted();
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const give = (reason: unknown) => {
    controller.abort(reason);
    reject(reason);
  };
  const giveUp = () => give(end.reason);
  end.addEventListener("abort", giveUp);
  const timer = setTimeout(() => give(late()), ms);
  try {
    return await Promise.race([work(controller.signal), over]);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    end.removeEventListener("abort", giveUp);
  }
}
