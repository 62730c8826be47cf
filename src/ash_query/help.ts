/** What `ash_query --help` says: a screen of 24 lines and 80 columns. */
export const HELP = `\
Usage: ash_query [-q QUERY | --sql SELECT | FILTER...] [OPTION...]
Asks the history of commands. Without a query: the commands that the filters let
pass. -q and --sql go without filters.

  -q, --query=NAME        run a saved query (-Q, --list_queries lists them)
  -p, --print_query=NAME  print its SQL
      --sql=SELECT        run one SELECT, WITH, VALUES or EXPLAIN, read-only
      --since=TIME, --until=TIME   2h, 3d, today, yesterday, 2026-11-22[T14:30]
      --cwd=DIR           in this directory and below
      --failed            that did not exit with 0
      --ticket=KEY        done for this ticket
      --grep=TEXT         with this text in the command
  -l, --limit=N           so many rows at most; with filters, the newest
  -f, --format=NAME       aligned, auto, csv, json... (-F, --list_formats)
  -H, --hide_headings     leave the columns' names away
  -d, --database=FILE     another database than ~/.ash/history.db
      --help, --version

  ash_query -q CWD                      what was done in this directory?
  ash_query --failed --since yesterday  what went wrong?
  ash_query --ticket 17 -f csv > 17.csv
`;
