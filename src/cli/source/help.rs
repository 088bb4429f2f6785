//! What `--help` says below the flags.

pub const LIST: &str = "\
ACCEPTED and REFUSED count the last 90 days; LEFT is how many webhooks would pass its limit now.

Examples:
  tidegate source list
  tidegate source list work-orders
  tidegate source list --json | jq '.data[] | select(.usage.lastUsedAt == null) | .slug'";

pub const SHOW: &str = "\
Examples:
  tidegate source show work-orders/erp
  tidegate source show work-orders/erp --json | jq .usage.refused";

pub const CREATE: &str = "\
The mapping is what a module file has below [[source]] and is no setting: match, event_id, rules.
A whole module with its sources is made by `tidegate apply`.

Exit code 1 when the gateway refuses it; nothing is made then.

Examples:
  tidegate source create work-orders/erp --mapping erp.toml
  HUB=… tidegate source create pushes/hub --mapping pushes.toml --preset github --secret-env HUB
  tidegate source create pay/shop --mapping shop.toml --redact '$.card.number' --redact '$..cvv'
  echo '[[rule]]
  from = \"$.sku\"
  to = \"product_code\"' | tidegate source create work-orders/erp --mapping -";

pub const SET: &str = "\
Lists (redact) are replaced. A secret that is given here counts alone at once; rotate-secret gives the
sender time.

Examples:
  tidegate source set work-orders/erp --per-minute 600 --burst 50
  tidegate source set pay/shop --keep refused --keep-for 7d --redact '$.card.number'
  tidegate source set pay/shop --clear redact --clear rateLimit";

pub const ENABLE: &str = "\
Example:
  tidegate source enable work-orders/erp";

pub const DISABLE: &str = "\
Example:
  tidegate source disable work-orders/erp";

pub const DELETE: &str = "\
Exit code 2 without --yes, and nothing is done.

Example:
  tidegate source delete work-orders/erp --yes";

pub const ROTATE: &str = "\
The new secret is shown once. Until the overlap ends, requests may be signed with either. Applying the
source's file again leaves it in force, as long as the file's secret is the one it was.

Examples:
  tidegate source rotate-secret work-orders/erp
  tidegate source rotate-secret work-orders/erp --overlap 1h
  NEW=… tidegate source rotate-secret pushes/hub --secret-env NEW --overlap 0";
