//! A mapping against the shape of its module: every fault at once.

use std::fmt::Display;

use super::{EventIdFrom, MOST_FAULTS, MOST_PATTERNS, MOST_RULES, Mapping, RawMapping};
use crate::condition::Condition;
use crate::condition::path::Path;
use crate::map::input::Input;
use crate::map::moment::{Moment, RawMoment};
use crate::map::rule::Rule;
use crate::record::definition::{Fault, no_field};
use crate::record::shape::Shape;

/// What was found so far.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// What stands at a key, if it stands there and is right.
    fn of<T, E: Display>(&mut self, key: &str, checked: Option<Result<T, E>>) -> Option<T> {
        checked?.map_err(|error| self.0.push(Fault::new(key, error.to_string()))).ok()
    }
}

impl RawMapping {
    /// `keys` are the sets of fields that identify records of the module. Every fault at once; `rule[2].from` is the
    /// second rule's.
    pub fn check(&self, shape: &Shape, keys: &[Vec<usize>]) -> Result<Mapping, Vec<Fault>> {
        let mut faults = Faults::default();
        let rules = self.check_rules(shape, keys, &mut faults);
        let event_type = faults.of("event_type", self.event_type.as_deref().map(single));
        let event_id = faults.of("event_id", self.event_id.as_deref().map(event_id));
        let occurred_at = faults.of("occurred_at", self.occurred_at.as_ref().map(RawMoment::check));
        let when = faults.of("when", self.when.as_deref().map(Condition::compile));
        let delete_when = faults.of("delete_when", self.delete_when.as_deref().map(Condition::compile));
        let each = faults.of("each", self.each.as_deref().map(each));
        let matching = faults.of("match", Some(self.matching(shape))).unwrap_or_default();
        faults.0.extend(self.check_only());
        faults.0.extend(self.check_targets(shape, &matching));
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let (raw, only) = (self.clone(), self.only.clone());
        let parts = (event_type, event_id, occurred_at);
        let parameters = parameters(&parts, &rules);
        let (event_type, event_id, occurred_at) = parts;
        let mapping = Mapping {
            raw,
            matching,
            event_type,
            only,
            when,
            each,
            event_id,
            occurred_at,
            delete_when,
            rules,
            parameters,
        };
        Ok(mapping)
    }

    /// Of more rules than a mapping may have none is looked at: the file may hold any number of them.
    fn check_rules(&self, shape: &Shape, keys: &[Vec<usize>], faults: &mut Faults) -> Vec<Rule> {
        let identifies = |place: usize| keys.iter().any(|key| key.contains(&place));
        match self.rules.len() {
            0 => faults.0.push(Fault::new(
                "rule",
                "the source has no rules; write one below a line [[source.rule]]: from = \"$.payload.sku\" and to = \"product_code\"",
            )),
            1..=MOST_RULES => {}
            count => {
                faults.0.push(Fault::new("rule", format!("a source has at most {MOST_RULES} rules, this one {count}")));
                return Vec::new();
            }
        }
        let mut rules = Vec::with_capacity(self.rules.len());
        for (place, raw) in self.rules.iter().enumerate() {
            if faults.0.len() > MOST_FAULTS {
                break;
            }
            let at = |key: &str| format!("rule[{}].{key}", place + 1);
            match Rule::check(raw, shape, identifies) {
                Ok(mut rule) => {
                    rule.is_alternative = self.rules[..place].iter().any(|other| other.to == raw.to);
                    rules.push(rule);
                }
                Err(found) => faults.0.extend(found.into_iter().map(|(key, detail)| Fault::new(at(key), detail))),
            }
        }
        rules
    }

    fn matching(&self, shape: &Shape) -> Result<Vec<usize>, String> {
        let Some(names) = &self.matching else { return Ok(shape.matching.clone()) };
        let fields = shape.fields.iter().map(|field| field.name.as_str());
        let place = |name: &String| shape.place(name).ok_or_else(|| no_field(name, fields.clone()));
        names.iter().map(place).collect()
    }

    fn check_only(&self) -> Option<Fault> {
        let patterns = self.only.as_ref()?;
        let detail = if self.event_type.is_none() {
            "`only` picks event types, and the source does not say where the type stands: event_type = \"$.type\""
                .to_owned()
        } else if patterns.is_empty() || patterns.len() > MOST_PATTERNS || patterns.iter().any(String::is_empty) {
            format!("`only` lists 1 to {MOST_PATTERNS} event types, such as \"order.*\"")
        } else {
            return None;
        };
        Some(Fault::new("only", detail))
    }
}

/// The parameters of the URL that some of it looks at.
fn parameters(
    (event_type, event_id, occurred_at): &(Option<Input>, Option<EventIdFrom>, Option<Moment>),
    rules: &[Rule],
) -> Vec<String> {
    let event_id = match event_id {
        Some(EventIdFrom::Input(input)) => Some(input),
        Some(EventIdFrom::Body) | None => None,
    };
    let inputs = [event_type.as_ref(), event_id, occurred_at.as_ref().map(Moment::input)];
    let around = inputs.into_iter().flatten().filter_map(Input::parameter);
    around.chain(rules.iter().flat_map(Rule::parameters)).map(str::to_owned).collect()
}

fn event_id(text: &str) -> Result<EventIdFrom, String> {
    if text == "body" { Ok(EventIdFrom::Body) } else { single(text).map(EventIdFrom::Input) }
}

fn each(text: &str) -> Result<Path, String> {
    if !text.starts_with('$') {
        return Err(
            "`each` is a path of the document that selects a node for each record, such as $.items[*]".to_owned()
        );
    }
    let path = Path::compile(text).map_err(|bad| bad.to_string())?;
    if path.is_singular() {
        return Err(format!(
            "`each` selects a node for each record, and this path only one; its items are `{text}[*]`"
        ));
    }
    Ok(path)
}

fn single(text: &str) -> Result<Input, String> {
    let input = Input::check(text)?;
    if input.is_singular() {
        return Ok(input);
    }
    Err("the path can find several nodes; one that names a single place is needed, such as $.id".to_owned())
}
