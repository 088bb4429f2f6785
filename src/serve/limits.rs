//! The page of every bound, made from the table that the settings are read by. It tells the defaults, never what this
//! gateway was set to: it is public.

use askama::Template;

use crate::config::{LIMITS, Limit};
use crate::map::reference::{self, Prose};

/// Where it is served.
pub const PATH: &str = "/reference/limits";

#[derive(Template)]
#[template(path = "limits.html")]
struct Page {
    rows: Vec<Row>,
    reference: &'static str,
}

struct Row {
    name: &'static str,
    default: String,
    range: String,
    meaning: Prose,
    reached: Prose,
    shown: Prose,
}

impl From<&Limit> for Row {
    fn from(limit: &Limit) -> Self {
        let prose = |text: &str| Prose(text.to_owned());
        Self {
            name: limit.name,
            default: limit.unit.show(limit.default),
            range: format!("{} to {}", limit.unit.show(limit.least), limit.unit.show(limit.most)),
            meaning: prose(limit.meaning),
            reached: prose(limit.reached),
            shown: prose(limit.shown),
        }
    }
}

/// The page, as HTML.
pub fn page() -> String {
    let page = Page { rows: LIMITS.iter().map(Row::from).collect(), reference: reference::PATH };
    // Rendering into a string only fails when a value's Display does; these are text and numbers.
    page.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bounds;
    use crate::problem::Code;

    /// The debug text of the type names every field that it has.
    #[test]
    fn every_bound_has_a_row() {
        let page = page();
        let bounds = format!("{:#?}", Bounds::default());
        let fields = bounds.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(':'));
        let fields = fields.map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(fields, LIMITS.iter().map(|limit| limit.name).collect::<Vec<_>>());
        for name in fields {
            assert!(page.contains(&format!("<code>{name}</code></td>")), "{name}");
        }
    }

    #[test]
    fn codes_that_are_named_exist_with_that_status() {
        for limit in LIMITS {
            let words = limit.reached.split(' ').collect::<Vec<_>>();
            for pair in words.windows(2) {
                let Some(code) = pair[1].strip_prefix('`').and_then(|code| code.split('`').next()) else { continue };
                if let Ok(status) = pair[0].parse::<u16>() {
                    let code = Code::find(code).unwrap_or_else(|| panic!("{}: {code}", limit.name));
                    assert_eq!(code.status().as_u16(), status, "{}", limit.name);
                }
            }
        }
    }

    #[test]
    fn the_page_stands_alone() {
        let page = page();
        assert!(page.starts_with("<!doctype html>") && page.contains("href=\"/reference\""));
        for outside in ["http:", "https:", "<script", "<link", "src=", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
