//! What `--help` says below the flags.

pub const CREATE: &str = "\
The secret is shown once; whoever checks signatures needs it. Flags can be seen by other users of
this machine: a header that holds a credential is better set over the API.

Examples:
  tidegate webhook create https://example.com/hooks
  tidegate webhook create https://example.com/hooks --event record_created --module work-orders
  tidegate webhook create https://example.com/hooks --profile standard-webhooks --retry 5s,5m,30m
  HOOK_SECRET=… tidegate webhook create https://example.com/hooks --secret-env HOOK_SECRET --json
  tidegate webhook create tidegate://inspect --filter \"@.data.quantity > 10\"";

pub const LIST: &str = "\
Examples:
  tidegate webhook list
  tidegate webhook list --json | jq -r '.data[] | select(.state == \"disabled\") | .id'";

pub const SHOW: &str = "\
Examples:
  tidegate webhook show whk_…
  tidegate webhook show whk_… --json | jq .missed";

pub const CHANGE: &str = "\
Lists (events, modules, retries) are replaced; headers are changed one by one.

Examples:
  tidegate webhook change whk_… --to https://example.com/new
  tidegate webhook change whk_… --event record_created --event record_deleted
  tidegate webhook change whk_… --clear filter --clear retries
  tidegate webhook change whk_… -H 'X-Team: orders' -H 'X-Old:'";

pub const DELETE: &str = "\
Exit code 2 without --yes, and nothing is done.

Example:
  tidegate webhook delete whk_… --yes";

pub const ENABLE: &str = "\
What happened while it was disabled is not sent by itself: `tidegate webhook missed` sends it.

Example:
  tidegate webhook enable whk_…";

pub const DISABLE: &str = "\
Example:
  tidegate webhook disable whk_…";

pub const TEST: &str = "\
It tells of the newest change of that type, or of a made-up one, is signed as any other, and carries
the header x-tidegate-test. It is neither tried again nor kept, and works for disabled webhooks, too.

Exit code 0 when the receiver answers with a 2xx, 1 otherwise.

Examples:
  tidegate webhook test whk_…
  tidegate webhook test whk_… --type status_change --module work-orders
  tidegate webhook test whk_… --json | jq .request";

pub const ROTATE: &str = "\
Until the overlap is over, headers with room for several signatures (webhook-signature) carry both,
the others stay on the old secret. `tidegate webhook promote-secret` ends it earlier.

Examples:
  tidegate webhook rotate-secret whk_…
  tidegate webhook rotate-secret whk_… --overlap 7d
  NEXT=… tidegate webhook rotate-secret whk_… --secret-env NEXT";

pub const PROMOTE: &str = "\
Example:
  tidegate webhook promote-secret whk_…";

pub const PROFILES: &str = "\
Examples:
  tidegate webhook profiles
  tidegate webhook profiles --json | jq '.data[] | {name, body}'";

pub const DELIVERIES: &str = "\
Examples:
  tidegate webhook deliveries whk_…
  tidegate webhook deliveries whk_… --state failed
  tidegate webhook deliveries whk_… --json | jq -r '.data[].id'";

pub const DELIVERY: &str = "\
With --json it has the requests and the answers, with headers and bodies as far as they were kept.

Examples:
  tidegate webhook delivery dlv_…
  tidegate webhook delivery dlv_… --json | jq .attempts[0].request";

pub const RETRY: &str = "\
Whether it was put off, given up or delivered; it is the same to the byte, under the same id.

Example:
  tidegate webhook retry dlv_…";

pub const REDELIVER: &str = "\
Settled deliveries are sent again as they were, under the same ids.

Examples:
  tidegate webhook redeliver --webhook whk_… --state failed --since 2h --dry-run
  tidegate webhook redeliver --webhook whk_… --state failed --since 2h
  tidegate webhook redeliver --type record_created --since 2026-01-02T03:04:05Z";

pub const MISSED: &str = "\
What was sent already is left alone; a receiver knows what it has by the id of the delivery.

Example:
  tidegate webhook enable whk_… && tidegate webhook missed whk_…";
