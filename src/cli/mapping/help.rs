//! What `tidegate mapping … --help` ends with.

pub const CHECK: &str = "\
Prints FILE:LINE: KEY: what is wrong and what to write instead, a line for each problem, all of
them at once. Needs no gateway and no secrets.

Exit code 0 when all is well, 1 when there are problems, 2 when a file cannot be read.

Examples:
  tidegate mapping check mappings/*.toml
  tidegate mapping check --json mappings/work-orders.toml | jq '.files[].errors'
  tidegate mapping check - < draft.toml";

pub const TEST: &str = "\
Shows what each payload would become: the record as it would be created, or every error. Nothing
is stored, and no gateway is needed. Signatures, rate limits and events that came before are left
out: each payload meets an empty module. What it would become of the records that stand, and what
each rule finds, is shown by `tidegate mapping preview`.

Exit code 0 when no payload is refused, 1 when one is, or when FILE has problems, 2 when the
arguments or files cannot be used.

Examples:
  tidegate mapping test mappings/work-orders.toml order.json
  tidegate mapping test mappings/machines.toml --source hall hall/*.json
  tidegate mapping test mappings/github-pushes.toml push.json -H 'X-GitHub-Event: push'
  tidegate mapping test orders.toml order.xml
  tidegate mapping test orders.toml order.txt --content-type application/x-www-form-urlencoded
  pbpaste | tidegate mapping test --json mappings/stripe-charges.toml - | jq '.results[0].records'";

pub const SHOW: &str = "\
As TOML that `put` takes again; with --json as the API answers it.

Examples:
  tidegate mapping show work-orders/erp
  tidegate mapping show work-orders/erp --version 3
  tidegate mapping show work-orders/erp > draft.toml";

pub const PUT: &str = "\
Makes a new version, which is in force at once; one that says the same makes none. FILE has the keys
of a mapping and [[rule]] tables, as `show` prints them, or is the same as JSON. A whole module file
is applied by `tidegate apply`.

Exit code 0 when it is in force, 1 when the gateway refuses it, 2 when FILE cannot be read.

Examples:
  tidegate mapping put work-orders/erp draft.toml --note 'spaces around the product code'
  tidegate mapping put work-orders/erp draft.toml --if-version 3
  tidegate mapping show work-orders/erp --json | jq '.mapping | .only = [\"order.*\"]' \\
    | tidegate mapping put work-orders/erp -";

pub const VERSIONS: &str = "\
Newest first; `*` is in force. ORIGIN says how each came: by the API, or by a file.

Examples:
  tidegate mapping versions work-orders/erp
  tidegate mapping versions work-orders/erp --json | jq '.data[0].author'";

pub const DIFF: &str = "\
Rules added (+), removed (-), changed (~) and moved (>), and the mapping's other keys.

Examples:
  tidegate mapping diff work-orders/erp                  what the last version changed
  tidegate mapping diff work-orders/erp --from 1 --to 4";

pub const RESTORE: &str = "\
Makes a new version with the document of an earlier one, whose note says so. What no longer fits the
module is refused.

Examples:
  tidegate mapping restore work-orders/erp 3
  tidegate mapping restore work-orders/erp 3 --note 'the shop sends the old form again'";

pub const PREVIEW: &str = "\
Shows what each payload would become: what every rule finds, makes of it and puts, and the record as
it stands and as it would stand. The gateway's own judgement, of the records that it has; signature
and limit are not asked, and nothing is written.

Exit code 0 when nothing is refused, 1 when something is, 2 when the arguments or files cannot be used.

Examples:
  tidegate mapping preview work-orders/erp order.json
  tidegate mapping preview work-orders/erp --event evt_…              one of the log
  tidegate mapping preview work-orders/erp order.json --draft draft.toml
  tidegate mapping preview github/hook push.json -H 'X-GitHub-Event: push'
  tidegate mapping preview work-orders/erp order.json --json | jq '.results[0].nodes[0].rules'";
