//! The page of what flows out: what a receiver meets and does, what filters see, and the profiles, as the gateway reads
//! them. Like the other pages it stands alone.

use std::time::Duration;

use askama::Template;

use crate::deliver::endpoint::LONGEST_TIMEOUT;
use crate::deliver::profile::{self, Failing, Profile};
use crate::deliver::retry::{LONGEST_WAIT, SHORT_REST};
use crate::deliver::sign::{HOPS, TEST};
use crate::map::reference::{self, Prose};
use crate::record::change::{EventType, SYSTEM};

/// Where it is served.
pub const PATH: &str = "/reference/deliveries";

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page {
    duties: Vec<(&'static str, Prose)>,
    types: [&'static str; EventType::ALL.len()],
    system: &'static [&'static str],
    envelope: Vec<(&'static str, Prose)>,
    answers: Vec<(&'static str, Prose)>,
    profiles: Vec<Row>,
    hops: &'static str,
    test: &'static str,
    file: &'static str,
    reference: &'static str,
}

struct Row {
    name: &'static str,
    summary: &'static str,
    waits: String,
    failing: String,
}

impl From<&'static Profile> for Row {
    fn from(profile: &'static Profile) -> Self {
        let waits = profile.retries.iter().map(|seconds| span(Duration::from_secs(u64::from(*seconds))));
        let failing = match profile.failing {
            Failing::Disable { after, spread } => {
                format!("disabled after {}, when failures are {} apart; mail", span(after), span(spread))
            }
            Failing::Mail => "stays enabled; mail with the first delivery that is given up".to_owned(),
        };
        let waits = waits.collect::<Vec<_>>().join(", ");
        Self { name: &profile.name, summary: &profile.summary, waits, failing }
    }
}

/// In the largest unit that it is a whole number of.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    unit.map_or_else(|| format!("{seconds} s"), |(length, name)| format!("{} {name}", seconds / length))
}

const DUTIES: &[(&str, &str)] = &[
    (
        "Verify",
        "Make the HMAC-SHA256 of the raw bytes of the body with the webhook's secret, as its profile says, and compare it in \
         constant time; parse afterwards. `webhook-signature` is verified with any library of Standard Webhooks, which \
         also looks at the time. While a secret is replaced, that header holds a signature of either.",
    ),
    (
        "Know it again",
        "A delivery may come twice, with the same id and the same bytes: what was taken once is answered 2xx and left alone.",
    ),
    (
        "Answer soon",
        "Any 2xx, within the webhook's `timeout`, is success; do the work afterwards. What a slow answer meant is never \
         known, so it is sent again.",
    ),
    (
        "Expect any order",
        "Unless the webhook has `ordering` `per_record`, an older event may come after a newer one: \
         `version`, where the profile has it, tells which is which.",
    ),
    (
        "Catch up",
        "`GET /api/v1/changes?after=CURSOR` reads the log itself from any point on, complete and in order, such as from the \
         `cursor` that a body of the default profile holds.",
    ),
];

/// As [`crate::deliver::endpoint::envelope`] makes it.
const ENVELOPE: &[(&str, &str)] = &[
    ("type", "of the event"),
    ("module", "its slug; null in an event of the gateway itself"),
    ("record_id", "empty in an event of the gateway itself"),
    ("op", "`insert`, `update`, `delete`; or the type of an event of the gateway itself"),
    ("version", "of the record"),
    ("actor", "who changed it; `sql` for another SQL client"),
    ("data", "the fields of the record; of a deleted one, what they were. Decimals are texts"),
    ("custom_data", "what is free-form beside them"),
    ("changes", "`{field: {from, to}}` of the fields that moved"),
    ("before", "the whole row before the change; null of a new record"),
    ("after", "the whole row after it; null of a deleted record"),
];

fn answers() -> Vec<(&'static str, Prose)> {
    let (longest, wait, rest) = (LONGEST_TIMEOUT, span(LONGEST_WAIT), span(SHORT_REST));
    [
        ("2xx", "delivered, whatever the body says".to_owned()),
        ("410", "the webhook is disabled; with `onGone` `retry` a failure as any other".to_owned()),
        (
            "429, 502, 503, 504",
            format!(
                "tried again, and the whole webhook rests: for as long as `Retry-After` says, at most {wait}, or {rest} and longer \
                 each time"
            ),
        ),
        ("any other, a redirect too", "tried again after the next wait, or after `Retry-After` when that is longer".to_owned()),
        ("none", format!("no address, no connection, no TLS, or not all of it within {longest} s at most: tried again")),
        (
            "after the last wait",
            "given up, and kept in the history. `tidegate webhook retry` and `redeliver` send it again, as it was: the attempts \
             are counted on, the waits begin anew"
                .to_owned(),
        ),
        (
            "while it is disabled",
            "nothing is sent and nothing lost: `tidegate webhook missed` sends what happened meanwhile, once it is enabled"
                .to_owned(),
        ),
    ]
    .map(|(term, text)| (term, Prose(text)))
    .into()
}

fn prose(rows: &[(&'static str, &str)]) -> Vec<(&'static str, Prose)> {
    rows.iter().map(|(term, text)| (*term, Prose((*text).to_owned()))).collect()
}

/// The page, as HTML.
pub fn page() -> String {
    let page = Page {
        duties: prose(DUTIES),
        types: EventType::ALL.map(EventType::as_str),
        system: SYSTEM,
        envelope: prose(ENVELOPE),
        answers: answers(),
        profiles: profile::profiles().iter().map(Row::from).collect(),
        hops: HOPS,
        test: TEST,
        file: profile::FILE,
        reference: reference::PATH,
    };
    // Rendering into a string only fails when a value's Display does; these are text.
    page.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::Timestamp;
    use crate::deliver::endpoint::envelope;
    use crate::record::change::Change;

    #[test]
    fn the_envelope_is_the_codes() {
        let (at, moved) = (Timestamp::default(), serde_json::Map::new());
        let change = Change {
            seq: 1,
            id: String::new(),
            at,
            module: None,
            record: String::new(),
            op: String::new(),
            version: 1,
            shape: 1,
            before: None,
            after: None,
            moved,
            event: None,
            actor: String::new(),
            hops: 0,
        };
        let made = envelope(&change, "x", None);
        let members = made.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>();
        assert_eq!(members, ENVELOPE.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn every_profile_is_there_and_the_page_stands_alone() {
        let page = page();
        for profile in profile::profiles() {
            assert!(page.contains(&format!("<tr id=\"profile-{}\">", profile.name)), "{}", profile.name);
        }
        assert!(page.contains("1 min, 2 min, 4 min, 8 min, 16 min") && page.contains("12 h"), "{page}");
        assert!(page.contains("5 days") && page.contains("[collecta]") && page.contains("Content-Type"));
        for outside in ["<script", "<link", "src=", "url(", "href=\"http"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
