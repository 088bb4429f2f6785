//! Mappings as they stand in a module's file. A test reads and checks each.

pub(super) const FIRST: &str = r#"[module]
slug = "work-orders"
name = "Work orders"
match = ["number"]                   # the fields that identify a record

[module.fields]
number = { type = "text", required = true }
amount = "decimal"
due_on = "date"
status = { type = "status", values = ["open", "closed"] }

[[source]]
slug = "erp"
event_type = "$.type"                # where an event says what it is
only = ["order.*"]                   # all others are ignored
event_id = "$.id"                    # a webhook that is sent twice counts once
occurred_at = "$.created_at"         # an older event never overwrites a newer one

[[source.rule]]
from = "$.order.no"                  # where in the payload
to = "number"                        # which field
transform = ["trim", "uppercase"]

[[source.rule]]
from = "$.order.total"
to = "amount"
transform = [{ number = "de" }]      # 1.234,50

[[source.rule]]
from = "$.order.due"
to = "due_on"

[[source.rule]]
from = "$.order.state"
to = "status"
default = "open"
transform = [{ map = { new = "open", done = "closed", void = "closed" } }]
"#;

pub(super) const SEVERAL: &str = r#"[[source.rule]]
from = "const:closed"
to = "status"
when = "@.refunded == true"          # the first rule whose condition holds

[[source.rule]]
from = "$.state"
to = "status"                        # all other events
transform = [{ map = { paid = "closed" }, else = "open" }]
"#;

pub(super) const EACH: &str = r#"[[source]]
slug = "shop"
match = ["number", "line"]
each = "$.line_items[*]"
event_id = "header:X-Webhook-Id"
occurred_at = "root:$.updated_at"    # from the document

[[source.rule]]
from = "root:$.order_number"
to = "number"

[[source.rule]]
from = "$.position"                  # from the line
to = "line"
"#;

pub(super) const DELETING: &str = r#"[[source]]
slug = "erp"
event_type = "header:X-Event"
delete_when = "@.deleted == true || @.type == 'order.removed'"

[[source.rule]]
from = "$.order.no"
to = "number"
"#;

pub(super) const MONEY: &str = r#"[[source.rule]]
from = "$.amount"
to = "amount"
# As Stripe counts:
transform = [{ minor_units = "$.currency", digits = { ISK = 2, UGX = 2, MGA = 0 } }]
"#;

pub(super) const DAYS: &str = r#"[[source.rule]]
from = "$.due"                       # 31.12.2026
to = "due_on"
transform = [{ timestamp = "%d.%m.%Y", zone = "UTC" }, { split = "T", part = 0 }]
"#;
