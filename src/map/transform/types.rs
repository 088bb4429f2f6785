//! What comes out of a rule's transforms, as far as it can be known before any event comes. A rule that can never fill
//! its field, or a transform that can never take what it is given, is found when the mapping is saved.
//!
//! Only what can never work is refused here. What a path finds is unknown, and so is most of what is made of it.

use serde_json::Value;

use super::{Chain, Reading, Transform};
use crate::map::input::Input;
use crate::map::rule::{OnEmpty, Take};
use crate::record::field::Kind;
use crate::record::nearest::{did_you_mean, nearest};
use crate::record::value::{BadValue, coerce};

/// A key of the rule, and what is wrong with it.
pub type Fault = (&'static str, String);

/// What is known of a node.
#[derive(Clone, Debug)]
enum Known {
    Nothing,
    Number,
    Array,
    /// RFC 3339.
    Time,
    /// 64 hexadecimal digits.
    Hex,
    /// A text that begins or ends so, unless it is empty.
    Begins(String),
    Ends(String),
    /// One of these.
    Listed(Vec<Candidate>),
}

/// A node that can come out, and where it was written.
#[derive(Clone, Debug)]
struct Candidate {
    origin: String,
    node: Value,
}

/// Of what known texts are made to stand for all of their form.
const A_TIME: &str = "2026-01-02T03:04:05.678901Z";

impl Chain {
    /// Whether a rule with these transforms can ever fill its field. `kind` is `None` for a place in `custom_data`,
    /// which takes anything.
    pub fn check_fit(&self, from: &Input, take: Take, on_empty: OnEmpty, kind: Option<&Kind>) -> Result<(), Fault> {
        let mut given = Known::of(from, take);
        // Who is to blame: the transforms, or without any what they would have been given.
        let mut key = match take {
            Take::One | Take::First | Take::Last => "from",
            Take::Join | Take::Count | Take::Json => "take",
        };
        for (place, transform) in self.0.iter().enumerate() {
            given = transform.step(given).map_err(|detail| ("transform", self.placed(place, detail)))?;
            key = "transform";
        }
        let Some(kind) = kind else { return Ok(()) };
        given.check_kind(kind, on_empty).map_err(|detail| (key, detail))
    }

    fn placed(&self, place: usize, detail: String) -> String {
        if self.0.len() == 1 { detail } else { format!("transform {}: {detail}", place + 1) }
    }
}

impl Transform {
    fn step(&self, given: Known) -> Result<Known, String> {
        let name = self.entry().name;
        match given {
            Known::Array => Err(format!(
                "`{name}` takes one value, and gets an array; take one part, as in {{ split = \",\", part = 0 }}, or \
                 leave out what makes the array"
            )),
            Known::Listed(candidates) => self.of_each(candidates),
            Known::Time | Known::Hex if self.reads_numbers() => {
                Err(format!("`{name}` takes a number, and gets {}; leave one of the two out", given.described()))
            }
            Known::Begins(_) | Known::Ends(_) if self.reads_numbers() && !given.can_be_number() => Err(format!(
                "`{name}` takes a number, and gets {}; put the transform that adds it last",
                given.described()
            )),
            Known::Time | Known::Hex if !self.reads_this_time() => Err(format!(
                "`{name}` reads times of another form, and gets {}; leave one of the two out",
                given.described()
            )),
            other => Ok(self.gives(other)),
        }
    }

    /// Those that take numbers only, or texts that are one.
    fn reads_numbers(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Scale(_) | Self::MinorUnits(_) | Self::Timestamp(Reading::Unix { .. }))
    }

    fn reads_this_time(&self) -> bool {
        match self {
            Self::Timestamp(reading) => reading.read(A_TIME).is_ok(),
            _ => true,
        }
    }

    /// Of what is not a list of nodes.
    fn gives(&self, given: Known) -> Known {
        match self {
            Self::Trim | Self::Lowercase | Self::Uppercase => match given {
                Known::Begins(_) | Known::Ends(_) => Known::Nothing,
                same => same,
            },
            Self::Prefix(text) => Known::Begins(text.to_string()),
            Self::Suffix(text) => Known::Ends(text.to_string()),
            Self::Split { part: None, .. } => Known::Array,
            Self::Replace { .. } | Self::Split { .. } => Known::Nothing,
            Self::Number(_) | Self::Scale(_) | Self::MinorUnits(_) => Known::Number,
            Self::Timestamp(_) => Known::Time,
            Self::Hash => Known::Hex,
            Self::Map { entries, otherwise } => {
                let entry = |(key, node): (&String, &Value)| Candidate {
                    origin: format!("the entry {key:?} of `map`"),
                    node: node.clone(),
                };
                let other = otherwise.iter().map(|node| Candidate { origin: "`else`".into(), node: node.clone() });
                Known::Listed(entries.iter().map(entry).chain(other).collect())
            }
        }
    }

    /// What is known is transformed now, except for what hangs on the event.
    fn of_each(&self, candidates: Vec<Candidate>) -> Result<Known, String> {
        if matches!(self, Self::MinorUnits(_)) {
            return Ok(Known::Number);
        }
        let each = candidates.into_iter().map(|candidate| {
            let made = self.apply_with(std::borrow::Cow::Borrowed(&candidate.node), &|_| None);
            match made {
                Ok(node) => Ok(Candidate { node: node.into_owned(), origin: candidate.origin }),
                Err(bad) => Err(format!("`{}` cannot take {}: {}", self.entry().name, candidate.shown(), bad.detail)),
            }
        });
        each.collect::<Result<_, _>>().map(Known::Listed)
    }
}

impl Candidate {
    fn shown(&self) -> String {
        format!("{}, which is {}", self.origin, shortened(&self.node.to_string()))
    }
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() == text.len() { short } else { format!("{short}…") }
}

impl Known {
    fn of(from: &Input, take: Take) -> Self {
        match (take, from) {
            (Take::Count, _) => Self::Number,
            (Take::Json, _) => Self::Array,
            (_, Input::Const(node)) => {
                Self::Listed(vec![Candidate { origin: "the constant".into(), node: node.clone() }])
            }
            (_, Input::ReceivedAt) => Self::Time,
            (_, Input::Path(_) | Input::Root(_) | Input::Header(_) | Input::Query(_)) => Self::Nothing,
        }
    }

    fn described(&self) -> String {
        match self {
            Self::Nothing => "anything".into(),
            Self::Number => "a number".into(),
            Self::Array => "an array".into(),
            Self::Time => "a time as RFC 3339 writes it".into(),
            Self::Hex => "the digits of a hash".into(),
            Self::Begins(text) => format!("a text that begins with {text:?}"),
            Self::Ends(text) => format!("a text that ends with {text:?}"),
            Self::Listed(_) => "listed values".into(),
        }
    }

    fn check_kind(&self, kind: &Kind, on_empty: OnEmpty) -> Result<(), String> {
        if let Self::Listed(candidates) = self {
            return candidates.iter().try_for_each(|candidate| candidate.check_kind(kind, on_empty));
        }
        if self.can_be(kind) {
            return Ok(());
        }
        let wanted = kind.name();
        Err(format!("the field is of type {wanted}, and gets {}; {}", self.described(), self.way_to(kind)))
    }

    /// Whether some node of this form coerces to the kind.
    fn can_be(&self, kind: &Kind) -> bool {
        match (self, kind) {
            (Self::Nothing | Self::Listed(_), _) | (_, Kind::Json) => true,
            (Self::Array, _) => false,
            (_, Kind::Text) => true,
            (Self::Number, kind) => matches!(kind, Kind::Integer | Kind::Decimal),
            (Self::Time, kind) => matches!(kind, Kind::Timestamp),
            (Self::Hex, _) => false,
            (Self::Begins(_) | Self::Ends(_), Kind::Integer | Kind::Decimal) => self.can_be_number(),
            (Self::Begins(_) | Self::Ends(_), Kind::Boolean) => ["true", "false"].iter().any(|word| self.fits(word)),
            (Self::Begins(_) | Self::Ends(_), Kind::Status(values)) => values.iter().any(|value| self.fits(value)),
            (Self::Begins(text) | Self::Ends(text), Kind::Timestamp | Kind::Date) => {
                text.chars().all(|char| char.is_ascii_digit() || "-:.+TtZz".contains(char))
            }
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Begins(start) => text.starts_with(start.as_str()),
            Self::Ends(end) => text.ends_with(end.as_str()),
            _ => true,
        }
    }

    /// No letter stands in a number but the `e` of an exponent.
    fn can_be_number(&self) -> bool {
        match self {
            Self::Begins(text) | Self::Ends(text) => {
                text.chars().all(|char| !char.is_alphabetic() || matches!(char, 'e' | 'E'))
            }
            _ => true,
        }
    }

    fn way_to(&self, kind: &Kind) -> &'static str {
        match (self, kind) {
            (Self::Array, _) => "take one part, as in { split = \",\", part = 0 }, take = \"join\", or a json field",
            (Self::Time, Kind::Date) => {
                "add { split = \"T\", part = 0 } for the day in UTC (read a day without a time with zone = \"UTC\")"
            }
            (Self::Time, _) => "make it a timestamp field",
            (Self::Number, Kind::Timestamp) => "seconds since 1970 are read by { timestamp = \"unix\" } alone",
            (Self::Number, Kind::Boolean) => "add { map = { 1 = true, 0 = false } }",
            (Self::Number, Kind::Status(_)) => "add a `map` from each number to a value of the field",
            (Self::Number, _) => "make it an integer or decimal field",
            (Self::Hex, _) => "make it a text field",
            _ => "leave that text out, or make it a text field",
        }
    }
}

impl Candidate {
    /// An empty text counts only where the rule takes it for a text.
    fn check_kind(&self, kind: &Kind, on_empty: OnEmpty) -> Result<(), String> {
        let is_set_aside = self.node.is_null() || (self.node.as_str() == Some("") && on_empty != OnEmpty::Text);
        if is_set_aside {
            return Ok(());
        }
        let refused = |bad: BadValue| {
            let meant = match (kind, self.node.as_str()) {
                (Kind::Status(values), Some(text)) => {
                    did_you_mean(nearest(text, values.iter().map(String::as_str)), |word| format!("{word:?}"))
                }
                _ => String::new(),
            };
            format!("the field is of type {}, and gets {}: {}{meant}", kind.name(), self.shown(), bad.detail)
        };
        coerce(kind, &self.node).map(drop).map_err(refused)
    }
}
