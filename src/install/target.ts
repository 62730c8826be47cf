/** The host that an installation changes. */

/** Which of the distributions' ways this host follows: where startup files lie, how services are made known. */
export type Family = "debian" | "redhat" | "other";

/** How services start here; `none`: in a container, a chroot. */
export type Init = "systemd" | "sysv" | "none";

/** The host that is installed on. */
export interface Target {
  /** What stands before every path: nothing, but for a mounted disk (`srvaudit rescue --root /mnt`) and in tests. */
  root: string;
  family: Family;
  init: Init;
  /** Whether the kernel enforces, or watches by, an SELinux policy. */
  hasSelinux: boolean;
  /** The folder of the installed executable: `/usr/lib/srvaudit`. */
  library: string;
  /** The path that passwd names for `hello`: `/usr/bin/hello-srvaudit`. */
  hello: string;
}
