//! What `--help` says below the flags.

pub const LIST: &str = "\
All that is given must fit. One page looks through a bounded number of events, and says so where it
ends before the log does; --all goes on to the end.

Exit code 0, also where nothing fits.

Examples:
  tidegate event list --verdict refused
  tidegate event list --module work-orders --source erp --since 2026-01-02T00:00:00Z
  tidegate event list --text A-1 --all --json | jq -r '.data[].id'";

pub const SHOW: &str = "\
Example:
  tidegate event show evt_…";

pub const PAYLOAD: &str = "\
On the terminal control characters are replaced; --out writes the bytes as they are.

Examples:
  tidegate event payload evt_…
  tidegate event payload evt_… --out order.json";

pub const REPLAY: &str = "\
Each makes a new event, which names the first one. The payload, headers and parameters that are kept
are judged by the mapping in force now; neither signature nor limit is asked, and the event id makes
it no duplicate. An event that is older than what its source has told of the record is stale all the
same.

Exit code 0, 1 when one of them was refused.

Examples:
  tidegate replay evt_…
  tidegate event list --cause judgement_failed --json | jq -r .data[].id | xargs tidegate replay";
