//! The pages behind `type`: for the developer of a sender, who sees a code in a log and wants to know what to change.
//! Each page stands alone: no script, no outside asset, nothing about the gateway it came from.

use askama::Template;

use super::{Code, Entry, PATH};

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    entry: Entry,
    meaning: Vec<Span>,
    advice: Vec<Span>,
    index: &'static str,
}

/// A piece of a text of the table; what stands there in backticks is code.
struct Span {
    is_code: bool,
    text: &'static str,
}

fn spans(text: &'static str) -> Vec<Span> {
    text.split('`').enumerate().map(|(at, text)| Span { is_code: at % 2 == 1, text }).collect()
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Index {
    entries: Vec<Entry>,
    base: &'static str,
}

/// The page of one code, as HTML; `None` when there is no such code.
pub fn page(code: &str) -> Option<String> {
    let entry = Code::find(code)?.entry();
    let (meaning, advice) = (spans(entry.meaning), spans(entry.advice));
    Page { entry, meaning, advice, index: PATH }.render().ok()
}

/// The page that lists every code, as HTML.
pub fn index_page() -> String {
    let entries = Code::ALL.iter().map(|code| code.entry()).collect();
    // Rendering into a string only fails when a value's Display does; these are text and numbers.
    Index { entries, base: PATH }.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_a_line_of_the_index() {
        let index = index_page();
        for code in Code::ALL {
            let entry = code.entry();
            let page = page(entry.text).unwrap();
            for part in [entry.text, entry.status.as_str(), "href=\"/problems\""] {
                assert!(page.contains(part), "{part} is missing on the page of {code}");
            }
            assert!(index.contains(&format!("href=\"/problems/{code}\"")), "{code}");
        }
    }

    #[test]
    fn a_page_stands_alone() {
        let page = page("signature_mismatch").unwrap();
        assert!(page.starts_with("<!doctype html>"));
        assert!(super::page("signature_malformed").unwrap().contains("(such as <code>sha256=</code>)"));
        for outside in ["http:", "https:", "<script", "<link", "src=", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn an_unknown_code_has_no_page() {
        assert_eq!(page("nonsense"), None);
        assert_eq!(page("<script>"), None);
    }
}
