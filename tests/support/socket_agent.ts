/** A small server on a Unix socket that speaks the agent's language, or breaks it: for what has to bear with both. */

/** What is asked. */
export interface Question {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** An error that the server answers with. */
export class AnsweredError extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** Answers until it is disposed of. */
export class SocketAgent implements AsyncDisposable {
  /** What was asked so far, in order. */
  readonly asked: Question[] = [];
  readonly #listener: Deno.UnixListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #end: Promise<void>;

  /**
   * @param socket its path
   * @param answer gives the result, throws an `AnsweredError`, or returns a `Uint8Array` of which every byte is sent as it
   * is; `undefined` for no answer ever
   */
  constructor(
    readonly socket: string,
    private readonly answer: (question: Question) => unknown,
  ) {
    this.#listener = Deno.listen({ transport: "unix", path: socket });
    this.#end = this.#serve();
  }

  /** What was asked by that name. */
  all(method: string): Record<string, unknown>[] {
    return this.asked.filter((question) => question.method === method).map(({ params }) => params);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await this.#end;
  }

  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      talks.push(this.#talk(connection));
    }
    await Promise.all(talks);
  }

  async #talk(connection: Deno.Conn): Promise<void> {
    try {
      let text = "";
      for await (const piece of connection.readable.pipeThrough(new TextDecoderStream())) {
        text += piece;
        for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
          const bytes = this.#reply(text.slice(0, end));
          text = text.slice(end + 1);
          for (let sent = 0; bytes && sent < bytes.length;) {
            sent += await connection.write(bytes.subarray(sent));
          }
        }
      }
    } catch {
      // The peer hung up, or this server was disposed of.
    }
    this.#open.delete(connection);
  }

  #reply(line: string): Uint8Array | undefined {
    const question: Question = JSON.parse(line);
    this.asked.push(question);
    let reply: unknown;
    try {
      const result = this.answer(question);
      if (result === undefined || result instanceof Uint8Array) return result;
      reply = { result };
    } catch (error) {
      if (!(error instanceof AnsweredError)) throw error;
      reply = { error: { code: error.code, message: error.message } };
    }
    return new TextEncoder().encode(
      JSON.stringify({ jsonrpc: "2.0", id: question.id, ...reply as object }) + "\n",
    );
  }
}
