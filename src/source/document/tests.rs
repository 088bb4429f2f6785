use super::*;
use crate::config::Bounds;

const TEXT: &str = "[module]\nslug = \"a\"\nmatch = [\"x\"]\n\n[module.fields]\nx = \"text\"\n\n[[source]]\nslug = \"s\"\n\n[[source.rule]]\nfrom = \"$.x\"\nto = \"x\"\n\n[[source.rule]]\nfrom = \"$.y\"\nto = \"y\"\n";

#[test]
fn a_fault_is_found_in_the_text() {
    let document = Document::read("a.toml", TEXT);
    for (at, line) in [
        ("module.slug", 2),
        ("module.fields.x", 6),
        ("module.fields.\"no field\"", 5),
        ("source[1].slug", 9),
        ("source[1].rule[2].to", 17),
        ("source[1].rule[2].take", 15),
    ] {
        assert_eq!(document.error(at, "").line, Some(line), "{at}");
    }
}

#[test]
fn ways_are_written_and_read() {
    for text in ["module.slug", "source[1].rule[12].transform[3].map", "module.fields.\"a b\".type", "a"] {
        assert_eq!(Way::parse(text).to_string(), text);
    }
}

#[test]
fn problems_are_bounded() {
    let text: String = (0..500).map(|number| format!("key{number} = 1\n")).collect();
    let errors = Document::read("a.toml", &text).check(&Bounds::default()).unwrap_err();
    assert_eq!(errors.len(), MOST_ERRORS + 1);
    assert!(errors[MOST_ERRORS].detail.starts_with("there are more problems"));
    assert_eq!((errors[0].line, errors[99].line), (Some(1), Some(100)));
}

fn told(text: &str) -> Vec<String> {
    let errors = Document::read("a.toml", text).check(&Bounds::default()).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

/// Whoever writes a file of 1 MiB waits no longer for it than for one that could be.
#[test]
fn of_too_many_rules_none_is_checked() {
    let rule = "[[source.rule]]\nfrom=\"x\"\nto=\"z\"\n";
    let text = format!("{TEXT}{}", rule.repeat(29_000));
    let errors = told(&text);
    let detail = "a source has at most 400 rules, this one 29002";
    assert!(errors.len() == 1 && errors[0].contains(detail), "{errors:?}");
    let text = format!("{TEXT}{}", rule.repeat(398));
    let errors = told(&text);
    assert_eq!(errors.len(), MOST_ERRORS + 1);
    assert!(errors[MOST_ERRORS].contains("there are more problems"), "{errors:?}");
}

#[test]
fn of_too_many_transforms_none_is_checked() {
    let text = TEXT.replace("y = \"text\"", "").replace("x = \"text\"", "x = \"text\"\ny = \"text\"");
    let text = format!("{text}transform = [{}]\n", "{scale=99},".repeat(25_000));
    let errors = told(&text);
    let detail = "a rule has at most 10 transforms, and this one 25000";
    assert!(errors.len() == 1 && errors[0].contains(detail), "{errors:?}");
}

#[test]
fn places_in_each_other_are_told() {
    let text = TEXT.replace("x = \"text\"", "x = \"text\"\ny = \"text\"");
    let rule =
        |place: &str, more: &str| format!("[[source.rule]]\nfrom = \"$.y\"\nto = \"custom_data.{place}\"\n{more}");
    for (first, more, second, wanted) in [
        (
            "a",
            "",
            "a.b",
            Some(
                "rule 3 fills `custom_data.a` as a whole; give each a place of its own, such as `custom_data.a_b` for this one",
            ),
        ),
        (
            "a.b.c",
            "",
            "a",
            Some(
                "rule 3 fills `custom_data.a.b.c`, and this one `custom_data.a` as a whole; give each a place of its own, such as `custom_data.a_b_c` for rule 3",
            ),
        ),
        ("a", "when = \"@.x\"\n", "a.b", None),
        ("a", "", "ab.c", None),
        ("a.b", "", "a.c", None),
    ] {
        let errors = told(&format!("{text}{}{}", rule(first, more), rule(second, "")));
        let wanted = wanted.map(|detail| format!("a.toml:24: source[1].rule[4].to: {detail}"));
        assert_eq!(errors, Vec::from_iter(wanted), "{first}, {second}");
    }
}

#[test]
fn a_byte_is_in_its_line() {
    let lines = Lines::new("a\n\nbc\n");
    let found = (0..7).map(|byte| lines.of(byte)).collect::<Vec<_>>();
    assert_eq!(found, [1, 1, 2, 3, 3, 3, 4]);
}

#[test]
fn what_is_clear_of_a_faulty_file_is_compared_all_the_same() {
    let document = Document::read("a.toml", TEXT);
    assert_eq!(document.module().unwrap().0.as_str(), "a");
    let text = TEXT.replace("from = \"$.x\"", "form = \"x\"");
    let document = Document::read("a.toml", &text);
    assert_eq!(document.check(&Bounds::default()).unwrap_err().len(), 3);
    assert!(document.module().is_some());
}

/// A date and a number of TOML say what they look like, to the digit.
#[test]
fn values_of_toml_are_those_of_json() {
    for (default, kind, wanted) in [
        ("2026-01-02", "date", Some("\"2026-01-02\"")),
        ("2026-01-02T03:04:05Z", "timestamp", Some("\"2026-01-02T03:04:05Z\"")),
        ("12.5", "decimal", Some("12.5")),
        ("1.0", "decimal", Some("1.0")),
        ("-0.0", "decimal", Some("-0.0")),
        ("+1e3", "decimal", None),
        ("1.50", "text", None),
        ("1.50", "decimal", None),
        ("1_000.5", "decimal", Some("1000.5")),
        ("0.1", "decimal", Some("0.1")),
        ("9223372036854775807", "integer", Some("9223372036854775807")),
        ("12345678901234567.1", "decimal", None),
        ("nan", "decimal", None),
        ("inf", "decimal", None),
    ] {
        let text = TEXT.replace("x = \"text\"", &format!("x = \"text\"\ny = \"{kind}\""));
        let text = text.replace("to = \"y\"", &format!("to = \"y\"\ndefault = {default}"));
        let checked = Document::read("a.toml", &text).check(&Bounds::default());
        let read = checked.map(|checked| checked.sources[0].mapping.raw.rules[1].default.as_ref().unwrap().to_string());
        assert_eq!(read.as_deref().ok(), wanted, "{default}: {read:?}");
    }
}

/// What `map` gives is as much a text as a default is.
#[test]
fn numbers_of_a_map_stand_as_they_are_written() {
    for (number, is_kept) in [("1.1", true), ("7", true), ("1.10", false), ("1e3", false)] {
        let text = TEXT.replace("x = \"text\"", "x = \"text\"\ny = \"text\"");
        let text = format!("{text}transform = [{{ map = {{ a = {number} }} }}]\n");
        let errors = Document::read("a.toml", &text).check(&Bounds::default()).err().unwrap_or_default();
        let told = errors.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>();
        assert_eq!(told.is_empty(), is_kept, "{number}: {told:?}");
        assert!(told.iter().all(|told| told.contains("write it in quotes")), "{number}: {told:?}");
    }
}

/// A line of a good file: taken away, written twice, cut, or with a sign in it that has a meaning.
fn edit(text: &str, (line, kind, at, sign): (usize, usize, usize, char)) -> String {
    let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    let line = line % lines.len();
    let at = lines[line].char_indices().map(|(at, _)| at).nth(at % (lines[line].chars().count() + 1));
    let at = at.unwrap_or(lines[line].len());
    match kind % 4 {
        0 => drop(lines.remove(line)),
        1 => lines.insert(line, lines[line].clone()),
        2 => lines[line].truncate(at),
        _ => lines[line].insert(at, sign),
    }
    lines.join("\n")
}

proptest::proptest! {
    /// Whatever someone does to a file, it is told or taken, and every problem has its line.
    #[test]
    fn no_edit_is_too_much(
        edits in proptest::collection::vec((0usize..40, 0usize..4, 0usize..60, proptest::sample::select("[]{}=\"'.,#$\\ :-é\u{0}1tn".chars().collect::<Vec<_>>())), 1..6)
    ) {
        let good = include_str!("../../../mappings/work-orders.toml");
        let text = edits.into_iter().fold(good.to_owned(), |text, by| if text.is_empty() { text } else { edit(&text, by) });
        if let Err(errors) = Document::read("a.toml", &text).check(&Bounds::default()) {
            proptest::prop_assert!(!errors.is_empty());
            let lines = text.lines().count().max(1);
            for error in errors {
                proptest::prop_assert!(error.line.is_some_and(|line| (1..=lines + 1).contains(&line)), "{error}: {text}");
            }
        }
    }
}
