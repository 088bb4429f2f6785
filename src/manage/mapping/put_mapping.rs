//! Another mapping for a source, as a new version.

use serde::Deserialize;
use serde_json::Value;

use super::change::{Wanted, change};
use super::view::MappingView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::map::mapping::RawMapping;
use crate::problem::Problem;
use crate::store::keys::Role;

pub use super::change::Of;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMapping, example = json!({
    "mapping": { "event_id": "$.id", "rule": [{ "from": "$.sku", "to": "product_code", "transform": ["trim"] }] },
    "note": "spaces around the product code"
}))]
pub struct NewMapping {
    /// With the keys of a module file.
    #[schema(value_type = Object)]
    mapping: Value,
    /// Why, for those who come later.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

pub async fn put_mapping(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    input: NewMapping,
) -> Result<MappingView, Problem> {
    caller.needs(Role::Editor)?;
    let (mapping, faults) = RawMapping::read(input.mapping);
    let refusal = "the mapping cannot be as it is described; nothing was changed".to_owned();
    let wanted = Wanted { mapping, faults, note: input.note, action: "mapping.change", refusal };
    change(gateway, caller, of, &wanted).await
}
