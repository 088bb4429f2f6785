//! What to write instead, for conditions.

use super::{BLOT, LONGEST, bare, blotted, is_word, operator, shared_by_look};

/// What the parser would take although it can never hold, and what is cheaper refused before it.
pub(in crate::condition) fn refuse_condition_by_look(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the condition is empty; one is `@.status != 'draft'`, where `@` is what is judged".into());
    }
    if text.len() > LONGEST {
        return Err(format!("the condition is longer than {LONGEST} bytes"));
    }
    if text.trim() != text {
        return Err("leave out the blanks before and after the condition".into());
    }
    let (bare, is_open) = blotted(text);
    if is_open {
        return Err("a quote is not closed; inside single quotes one is written `\\'`".into());
    }
    let found = template(&bare).or_else(|| in_brackets(text, &bare)).or_else(|| operator(&bare));
    let found = found.or_else(|| bare_name(text, &bare));
    found.map_or(Ok(()), Err)?;
    shared_by_look(&bare)?;
    length_of(text, &bare).map_or(Ok(()), Err)
}

/// Why the parser refused, as far as the text shows it.
pub(in crate::condition) fn explain_condition(text: &str) -> String {
    let bare = bare(text);
    let found = negated_comparison(&bare).or_else(|| super::found(text, &bare)).or_else(|| dashed(&bare));
    found.unwrap_or_else(|| {
        "not a condition; such are `@.status == 'open'`, `@.total > 0 && @.paid`, `!@.deleted_at`, \
         `length(@.items) > 0`, `match(@.sku, 'A-.*')`"
            .into()
    })
}

fn template(bare: &str) -> Option<String> {
    bare.contains("{{").then(|| "there are no templates; a value of the payload is written `@.status`".into())
}

/// `[?(…)]`, `?@.a`, `$[?…]`: how filters stand in a path. `@[?…]` is a condition: some child is such.
fn in_brackets(text: &str, bare: &str) -> Option<String> {
    let head = ["$[?", "[?", "?"].iter().find(|head| bare.starts_with(**head))?;
    let inner = text[head.len()..].trim();
    let inner = if head.contains('[') { inner.strip_suffix(']').unwrap_or(inner) } else { inner };
    Some(format!("a condition is what stands inside the brackets of a filter: write `{inner}`"))
}

const WORDS: [&str; 3] = ["true", "false", "null"];

/// A name that neither `@.` nor a dot stands before.
fn bare_name(text: &str, bare: &str) -> Option<String> {
    let mut before = ' ';
    let mut at = 0;
    while let Some(char) = bare[at..].chars().next() {
        if char == BLOT || !is_word(char) {
            before = if char.is_whitespace() { before } else { char };
            at += char.len_utf8();
            continue;
        }
        let end = at + bare[at..].find(|char| !is_word(char)).unwrap_or(bare.len() - at);
        let (word, rest) = (&bare[at..end], bare[end..].trim_start());
        let stands_alone = !matches!(before, '.' | '@' | '$' | '[' | ':' | ',' | '-') && !rest.starts_with('(');
        if stands_alone && !word.starts_with(|char: char| char.is_ascii_digit()) && !WORDS.contains(&word) {
            return Some(alone(text, word, before));
        }
        (before, at) = ('a', end);
    }
    None
}

fn alone(text: &str, word: &str, before: char) -> String {
    match word.to_ascii_lowercase().as_str() {
        "and" => "`and` is written `&&`".into(),
        "or" => "`or` is written `||`".into(),
        "not" => "`not` is written `!`, as in `!@.deleted_at` or `!(@.status == 'draft')`".into(),
        "in" | "nin" | "contains" | "like" | "startswith" => {
            "there is no such operator; write `@.a == 'x' || @.a == 'y'`, or `search(@.a, 'x')`".into()
        }
        "is" | "eq" => "values are compared with `==`".into(),
        "true" | "false" | "null" => format!("`{word}` is written in small letters"),
        "none" | "nil" | "undefined" | "exists" | "empty" => {
            "`@.a == null` is a value that is null, `!@.a` one that is not there, `@.a == ''` an empty text".into()
        }
        _ if matches!(before, '=' | '<' | '>') => {
            format!("a text stands in quotes: `'{word}'`; a value of the payload is `@.{word}`")
        }
        _ => format!("what is judged is `@`, and its members stand after a dot: write `@.{word}` in `{text}`"),
    }
}

/// `.length` of JavaScript: a member of that name is meant to exist, and for a list it never does.
pub(super) fn length_of(text: &str, bare: &str) -> Option<String> {
    for (at, found) in bare.match_indices(".length") {
        let rest = bare[at + found.len()..].trim_start();
        let compared = ["=", "!", "<", ">"].iter().any(|operator| rest.starts_with(operator));
        if compared && !bare[at + found.len()..].starts_with(is_word) {
            let head = bare[..at].rfind(['@', '$']).map_or("@.items", |start| &text[start..at]);
            return Some(format!(
                "`.length` is a member of that name here: the length of a list or text is `length({head})`, and a \
                 member that is called so is written `{head}['length']`"
            ));
        }
    }
    None
}

fn negated_comparison(bare: &str) -> Option<String> {
    let compares = ["==", "!=", "<", ">"].iter().any(|operator| bare.contains(operator));
    let negates = bare.match_indices('!').any(|(at, _)| !bare[at + 1..].starts_with(['=', '(']));
    (compares && negates).then(|| "`!` before a comparison needs brackets: `!(@.status == 'draft')`".into())
}

fn dashed(bare: &str) -> Option<String> {
    let is_inside = |at: usize| bare[..at].ends_with(is_word) && bare[at + 1..].starts_with(is_word);
    let dash = bare.match_indices('-').any(|(at, _)| is_inside(at));
    dash.then(|| "a name with other signs than letters, digits and _ stands in brackets and quotes: `@['a-b']`".into())
}
