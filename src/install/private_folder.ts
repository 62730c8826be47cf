/** Where programs of the host's find what they are to look at, and nobody else can. */

/**
 * A folder of root's alone, for as long as the work takes.
 *
 * @param work is given its path
 * @param parent the folder that it is made in
 * @returns what the work returns
 */
export async function withPrivateFolder<Result>(
  work: (folder: string) => Promise<Result>,
  parent = "/run",
): Promise<Result> {
  const folder = Deno.makeTempDirSync({ dir: parent, prefix: "srvaudit-private." });
  try {
    return await work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
