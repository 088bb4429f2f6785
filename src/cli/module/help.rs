//! Examples and exit codes.

pub const LIST: &str = "\
Examples:
  tidegate module list
  tidegate module list --json | jq -r '.data[].slug'";

pub const SHOW: &str = "\
Examples:
  tidegate module show work-orders";

pub const CREATE: &str = "\
Exit code 0 when it is made, 1 when the gateway refuses.

Examples:
  tidegate module create work-orders --field product_code=text --field quantity=integer \\
    --field state=status:open,closed --require product_code --match product_code";

pub const ALTER: &str = "\
Events go on meanwhile: each is mapped by the module as it was, or as it is. What stands in the way is
named, record by record, and then nothing is done.

Exit code 0 when it is done, 1 when the gateway refuses.

Examples:
  tidegate module alter work-orders --add note=text --require product_code
  tidegate module alter work-orders --type quantity=decimal --dry-run
  tidegate module alter work-orders --values state=open,closed,held
  tidegate module alter work-orders --match shop,number";

pub const RENAME: &str = "\
The current mappings of its sources are carried along, as new versions. Events that the module names and
filters of webhooks are not: where they speak of the field, they are named, and nothing is done.

Exit code 0 when it is done, 1 when the gateway refuses.

Examples:
  tidegate module rename-field work-orders qty quantity";

pub const DROP: &str = "\
It is gone at once for readers; the column goes when it is quiet. What fills the field, or speaks of it,
is named, and then nothing is done.

Exit code 0 when it is done, 1 when the gateway refuses.

Examples:
  tidegate module drop-field work-orders note --dry-run
  tidegate module drop-field work-orders note";

pub const DELETE: &str = "\
Events, changes and deliveries stay for as long as they are kept. It needs the key of an owner.

Exit code 0 when it is gone, 1 when the gateway refuses, 2 when --confirm does not repeat the slug.

Examples:
  tidegate module delete work-orders --confirm work-orders";
