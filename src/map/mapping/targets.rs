//! What the rules of a mapping fill, taken together: each place once, and all that records are found by.

use super::{MOST_RULES, RawMapping};
use crate::map::rule::RawRule;
use crate::record::definition::Fault;
use crate::record::shape::Shape;

impl RawMapping {
    /// Of several rules for one field the first that counts fills it, so all but the last have a `when`. The matching
    /// ones are filled by some rule; a rule whose field is not known may be the one that was meant to. Each rule is
    /// compared with all before it, so of too many nothing is said.
    pub(super) fn check_targets(&self, shape: &Shape, matching: &[usize]) -> Vec<Fault> {
        if self.rules.len() > MOST_RULES {
            return Vec::new();
        }
        let rules = self.rules.iter().enumerate();
        let collision = |(place, raw)| {
            let detail = self.collision(place, raw)?;
            Some(Fault::new(format!("rule[{}].to", place + 1), detail))
        };
        let mut faults: Vec<_> = rules.filter_map(collision).collect();
        let is_known = |raw: &RawRule| shape.place(&raw.to).is_some() || raw.to.starts_with("custom_data");
        if self.rules.is_empty() || !self.rules.iter().all(is_known) {
            return faults;
        }
        for name in shape.names(matching).filter(|name| !self.rules.iter().any(|raw| raw.to == name.as_str())) {
            let detail =
                format!("records are found by `{name}`, and no rule fills it; write a rule with to = \"{name}\"");
            faults.push(Fault::new("match", detail));
        }
        faults
    }

    /// An earlier rule that always fills the same place, or one around it or inside it.
    fn collision(&self, place: usize, raw: &RawRule) -> Option<String> {
        let earlier = || self.rules[..place].iter().enumerate().filter(|(_, other)| other.when.is_none());
        if let Some((earlier, _)) = earlier().find(|(_, other)| other.to == raw.to && !raw.to.is_empty()) {
            return Some(format!(
                "rule {0} fills `{1}` already; give rule {0} a `when` if this one is for other events, since the \
                 first rule whose `when` holds fills a field",
                earlier + 1,
                raw.to
            ));
        }
        earlier().find_map(|(earlier, other)| {
            let (number, other) = (earlier + 1, other.to.as_str());
            let own = "give each a place of its own, such as";
            if let Some(rest) = inside(&raw.to, other) {
                Some(format!("rule {number} fills `{other}` as a whole; {own} `{other}_{rest}` for this one"))
            } else {
                let rest = inside(other, &raw.to)?;
                Some(format!(
                    "rule {number} fills `{other}`, and this one `{0}` as a whole; {own} `{0}_{rest}` for rule {number}",
                    raw.to
                ))
            }
        })
    }
}

/// What leads from a place in `custom_data` to one inside it, as part of a name.
fn inside(inner: &str, outer: &str) -> Option<String> {
    outer.strip_prefix("custom_data.").filter(|name| !name.is_empty())?;
    let rest = inner.strip_prefix(outer)?.strip_prefix('.')?;
    Some(rest.replace('.', "_"))
}
