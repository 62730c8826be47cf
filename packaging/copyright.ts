/**
 * Prints who has written what is packaged, and under which licences, in the format of Debian's copyright files (DEP-5).
 *
 * The executable holds Deno, and the npm packages that `deno bundle` takes in: their names come from the source maps of
 * such a bundle, and their licences from the packages themselves. Run by `make`, in the project's folder.
 */

const NPM = "/npm/registry.npmjs.org/";

/** What these licences are called in DEP-5. */
const NAMES: Readonly<Record<string, string>> = {
  "Apache-2.0": "Apache-2.0",
  "BSD-2-Clause": "BSD-2-clause",
  "BSD-3-Clause": "BSD-3-clause",
  "ISC": "ISC",
  "MIT": "Expat",
};

/** One paragraph of the file. */
interface Part {
  files: string;
  copyright: string[];
  licence: string;
  /** Why it is here. */
  comment?: string;
  /** The licence's text. */
  text: string;
}

/** @returns the folders of the npm packages that the bundle has code of, sorted */
async function bundledPackages(): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      // deno-fmt-ignore
      args: [
        "bundle", "--quiet", "--platform", "deno", "--code-splitting", "--minify", "--sourcemap=external",
        "--outdir", folder, "src/main.ts",
      ],
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr)}`);
    const sources = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".map")).flatMap((
      { name },
    ) => JSON.parse(Deno.readTextFileSync(`${folder}/${name}`)).sources as string[]);
    const packages = sources.map((source) =>
      /\/npm\/registry\.npmjs\.org\/((?:@[^/]+\/)?[^/]+\/[0-9][^/]*)\//.exec(source)?.[1]
    );
    return [...new Set(packages.filter((path) => path !== undefined))].sort();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @throws {Error} where the package does not say under which licence it is, or has another than the known ones */
function partOf(path: string): Part {
  const folder = `${Deno.env.get("DENO_DIR")}${NPM}${path}`;
  const { name, version, license } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
  const licence = NAMES[license];
  const file = [...Deno.readDirSync(folder)].find(({ name }) => /^licen[cs]e/i.test(name));
  if (!licence || !file) {
    throw new Error(
      `${folder}: the licence ${license} is not one that packaging/copyright.ts knows, or has no text there`,
    );
  }
  const lines = Deno.readTextFileSync(`${folder}/${file.name}`).trim().split("\n").map((line) => line.trim());
  const isCopyright = (line: string) => /^copyright (\(c\)|©|\d{4})/i.test(line);
  return {
    files: `npm/${name}@${version}/*`,
    copyright: lines.filter(isCopyright).map((line) => line.replace(/^copyright( \(c\)| ©)? */i, "")),
    licence,
    text: lines.filter((line) =>
      !isCopyright(line) && !/^#* *(the )?(mit|bsd 3-clause) license( \(mit\))?$/i.test(line)
    )
      .join("\n").trim(),
  };
}

function show({ files, copyright, licence, comment, text }: Part): string {
  const indented = (lines: string) => lines.split("\n").map((line) => ` ${line.trim() || "."}`).join("\n");
  return [
    `Files: ${files}`,
    `Copyright: ${copyright.join("\n ")}`,
    `License: ${licence}`,
    ...(text ? [indented(text)] : []),
    ...(comment === undefined ? [] : [`Comment:\n${indented(comment)}`]),
  ].join("\n");
}

const packaging = new URL("./", import.meta.url);
const [, ours = "", ...licence] = Deno.readTextFileSync(new URL("../LICENSE", packaging)).trim().split(
  "\n\n",
);
const expat = licence.join("\n\n");
const own: Part = {
  files: "*",
  copyright: [ours.replace("Copyright (c) ", "")],
  licence: "Expat",
  text: expat,
};
const deno: Part = {
  files: `deno@${Deno.version.deno}/*`,
  copyright: ["2018-2025 the Deno authors"],
  licence: "Expat",
  text: expat,
  comment:
    "The executable's runtime, linked into usr/lib/srvaudit/srvaudit with V8 and the Rust libraries that are listed in\n" +
    `https://github.com/denoland/deno/blob/v${Deno.version.deno}/Cargo.lock`,
};
const v8: Part = {
  files: `v8@${Deno.version.v8}/*`,
  copyright: ["2006-2025 the V8 project authors"],
  licence: "BSD-3-clause",
  text: Deno.readTextFileSync(new URL("deb/licence.v8", packaging)).trim(),
};
console.log([
  "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: srvAudit",
  ...[own, deno, v8, ...(await bundledPackages()).map(partOf)].map(show),
].join("\n\n"));
