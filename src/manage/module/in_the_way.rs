//! The filters of webhooks are an admin's own text: one that speaks of a field which is dropped or renamed would
//! silently mean something else.

use crate::condition::Condition;
use crate::deliver::endpoint::RawEndpoint;
use crate::record::field::{FieldName, ModuleSlug};
use crate::store::alter::Obstacle;
use crate::store::endpoints::StoredEndpoint;

/// Members of what filters judge that hold the fields of the record.
const ROWS: [&str; 4] = ["data", "before", "after", "changes"];

/// A filter that speaks of the new name as well has been made ready for the renaming.
pub fn filters(
    endpoints: &[StoredEndpoint],
    slug: &ModuleSlug,
    (renamed, dropped): (&[(FieldName, FieldName)], &[FieldName]),
) -> Vec<Obstacle> {
    let moved = renamed.iter().map(|(from, to)| (from, Some(to))).chain(dropped.iter().map(|name| (name, None)));
    let moved = moved.collect::<Vec<_>>();
    let mut found = Vec::new();
    for endpoint in endpoints {
        let Ok(raw) = serde_json::from_str::<RawEndpoint>(&endpoint.settings) else { continue };
        let is_sent = raw.modules.is_empty() || raw.modules.iter().any(|of| of == slug.as_str());
        let Some(filter) = raw.filter.filter(|_| is_sent).and_then(|text| Condition::compile(&text).ok()) else {
            continue;
        };
        let mentions = filter.mentions();
        let speaks_of = |field: &FieldName| {
            mentions.iter().any(
                |mention| matches!(mention.names[..], [row, name, ..] if ROWS.contains(&row) && name == field.as_str()),
            )
        };
        for (from, to) in moved.iter().filter(|(from, to)| speaks_of(from) && !to.is_some_and(speaks_of)) {
            let advice = match to {
                Some(to) => format!("have it speak of `{to}` as well, and take the old name out afterwards"),
                None => "change the filter first".to_owned(),
            };
            let detail = format!("the filter of the webhook {} speaks of the field; {advice}", endpoint.id);
            let at = if to.is_some() { format!("fields.{from}.rename") } else { format!("fields.{from}") };
            found.push(Obstacle::new(at, detail));
        }
    }
    found
}
