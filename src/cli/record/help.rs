//! What `--help` says below the flags.

pub const LIST: &str = "\
OP is eq, ne, lt, lte, gt, gte, in (values with commas between), prefix, contains (slow) or null
(true or false). FIELD is one of the module's, or _id, _version, _created_at, _updated_at.

Exit code 0, also where nothing fits.

Examples:
  tidegate record list work-orders
  tidegate record list work-orders --filter 'quantity[gte]=5' --filter status=open
  tidegate record list work-orders --sort -_updated_at --limit 10
  tidegate record list work-orders -f 'status[in]=open,closed' --all --json | jq .data[].fields";

pub const SHOW: &str = "\
Example:
  tidegate record show work-orders rec_…";

pub const CREATE: &str = "\
NAME=TEXT is read as the field's type wants it; NAME:=JSON is JSON, such as null, 5 or {\"a\":1}.
What is wrong is told at once, and nothing is written then.

Exit code 1 when the gateway refuses it.

Examples:
  tidegate record create work-orders product_code=A-1 quantity=5
  tidegate record create work-orders product_code=A-1 --custom '{\"note\":\"by hand\"}'";

pub const SET: &str = "\
NAME=TEXT is read as the field's type wants it; NAME:=JSON is JSON; NAME:=null empties the field.
--custom is merged into custom_data (RFC 7396): null removes a member.

Exit code 1 when the gateway refuses it, also when the record stands at another version.

Examples:
  tidegate record set work-orders rec_… status=closed
  tidegate record set work-orders rec_… quantity:=null --custom '{\"note\":null}' --version 3";

pub const DELETE: &str = "\
For a while an event that is older than what its source has told of the record does not bring it
back.

Example:
  tidegate record delete work-orders rec_… --yes";

pub const HISTORY: &str = "\
Works for deleted records, too, as far back as the gateway keeps its log of changes.

Examples:
  tidegate record history work-orders rec_…
  tidegate record history work-orders rec_… --json | jq .fields.status";
