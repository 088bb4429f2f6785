//! Just enough of Rust's grammar for the rules: tokens without comments, the paths they spell, and how long functions
//! are. What a macro makes is not seen; what is written in its call is read as plain tokens.

/// A word, `::`, any other single character, or `"` for a literal or lifetime of any length.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
}

pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, text) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if let Some(length) = comment(rest) {
            (length, None)
        } else if let Some(length) = string(rest).or_else(|| quoted(rest)) {
            (length, Some("\""))
        } else {
            let length = word(rest).max(if rest.starts_with("::") { 2 } else { first.len_utf8() });
            (length, Some(&rest[..length]))
        };
        found.extend(text.map(|text| Token { text, line }));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

fn word(rest: &str) -> usize {
    rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len())
}

fn is_word(text: &str) -> bool {
    text.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

/// Length of the comment that `rest` starts with. Block comments nest.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let (mut at, mut depth) = (0, 0);
    while rest[at..].starts_with("/*") || depth > 0 {
        let step = rest[at..].chars().next()?.len_utf8();
        match rest.get(at..at + 2) {
            Some("/*") => (at, depth) = (at + 2, depth + 1),
            Some("*/") if depth == 1 => return Some(at + 2),
            Some("*/") => (at, depth) = (at + 2, depth - 1),
            _ => at += step,
        }
    }
    None
}

/// Length of the string literal that `rest` starts with.
fn string(rest: &str) -> Option<usize> {
    ["br", "cr", "r", "b", "c", ""].into_iter().find_map(|prefix| {
        let after = rest.strip_prefix(prefix)?;
        let hashes = if prefix.ends_with('r') { after.len() - after.trim_start_matches('#').len() } else { 0 };
        let body = after[hashes..].strip_prefix('"')?;
        let length = if prefix.ends_with('r') {
            let end = format!("\"{}", &after[..hashes]);
            body.find(&end)? + end.len()
        } else {
            unescaped(body, '"')?
        };
        Some(prefix.len() + hashes + 1 + length)
    })
}

/// Length of the character or lifetime that `rest` starts with: `'x'`, `'\''`, `'static`.
fn quoted(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' || body[first.len_utf8()..].starts_with('\'') {
        return Some(1 + unescaped(body, '\'')?);
    }
    Some(1 + word(body))
}

/// Length up to and with the first `end` that has no backslash before it.
fn unescaped(body: &str, end: char) -> Option<usize> {
    let mut chars = body.char_indices();
    while let Some((at, char)) = chars.next() {
        if char == '\\' {
            chars.next();
        } else if char == end {
            return Some(at + 1);
        }
    }
    None
}

fn text_at<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or(";", |token| token.text)
}

/// A path of two segments and more, or what one leaf of a `use` tree names.
pub struct Path<'a> {
    pub line: usize,
    pub segments: Vec<&'a str>,
    /// The `mod name { … }` blocks that the path stands in, from the outermost.
    pub inside: Vec<&'a str>,
    pub is_macro_call: bool,
}

impl<'a> Path<'a> {
    /// The path from the crate's root, as `crate::…`, if it is written relative to `module` or by the library's name.
    pub fn absolute(&self, module: &[&'a str]) -> Vec<&'a str> {
        let here = match self.segments.first() {
            Some(&("crate" | "tidegate")) => return [&["crate"], &self.segments[1..]].concat(),
            Some(&("self" | "super")) => [module, &self.inside].concat(),
            _ => return self.segments.clone(),
        };
        let is_relative = |segment: &&&str| matches!(**segment, "self" | "super");
        let relative: Vec<_> = self.segments.iter().take_while(is_relative).collect();
        let ups = relative.iter().filter(|segment| ***segment == "super").count();
        let kept = &here[..here.len().saturating_sub(ups)];
        [&["crate"], kept, &self.segments[relative.len()..]].concat()
    }
}

pub fn paths<'a>(tokens: &[Token<'a>]) -> Vec<Path<'a>> {
    let mut found = Vec::new();
    let mut blocks: Vec<(&str, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while at < tokens.len() {
        let Token { text, line } = tokens[at];
        let (segments, mut next) = match text {
            "use" if text_at(tokens, at + 1) != "<" => use_tree(tokens, at + 1, &[]),
            _ if is_word(text) && text_at(tokens, at + 1) == "::" => inline(tokens, at),
            _ => (Vec::new(), at + 1),
        };
        match text {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            "mod" if text_at(tokens, at + 2) == "{" => {
                blocks.push((text_at(tokens, at + 1), depth));
                (depth, next) = (depth + 1, at + 3);
            }
            _ => {}
        }
        blocks.retain(|(_, outside)| *outside < depth);
        let is_macro_call = text != "use" && text_at(tokens, next) == "!" && text_at(tokens, next + 1) != "=";
        let inside: Vec<_> = blocks.iter().map(|(name, _)| *name).collect();
        let new = segments.into_iter().map(|segments| Path { line, segments, inside: inside.clone(), is_macro_call });
        found.extend(new);
        at = next;
    }
    found
}

/// The path that starts at a word, and the place after it. A turbofish ends it.
fn inline<'a>(tokens: &[Token<'a>], mut at: usize) -> (Vec<Vec<&'a str>>, usize) {
    let mut segments = vec![tokens[at].text];
    while text_at(tokens, at + 1) == "::" && is_word(text_at(tokens, at + 2)) {
        at += 2;
        segments.push(tokens[at].text);
    }
    (vec![segments], at + 1)
}

/// The leaves of the `use` tree that starts at a place, each with its whole path, and the place after the tree.
fn use_tree<'a>(tokens: &[Token<'a>], mut at: usize, prefix: &[&'a str]) -> (Vec<Vec<&'a str>>, usize) {
    let mut segments = prefix.to_vec();
    loop {
        match text_at(tokens, at) {
            "," | "}" | ";" => return (vec![segments], at),
            "{" => break,
            "as" => at += 1,
            "::" | "$" => {}
            segment => segments.push(segment),
        }
        at += 1;
    }
    let mut leaves = Vec::new();
    while !matches!(text_at(tokens, at), "}" | ";") {
        at += 1; // past the `{` or the `,`
        if text_at(tokens, at) != "}" {
            let (more, next) = use_tree(tokens, at, &segments);
            leaves.extend(more);
            at = next;
        }
    }
    (leaves, at + 1)
}

pub struct Function<'a> {
    pub name: &'a str,
    pub line: usize,
    /// From the line of `fn` to that of the closing brace.
    pub lines: usize,
}

/// All functions that have a body.
pub fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let starts = (0..tokens.len()).filter(|at| tokens[*at].text == "fn" && is_word(text_at(tokens, at + 1)));
    let measured = starts.filter_map(|at| {
        let line = tokens[at].line;
        Some(Function { name: tokens[at + 1].text, line, lines: body_end(&tokens[at..])? - line + 1 })
    });
    measured.collect()
}

/// The line of the brace that closes the first block outside of brackets; none if a `;` comes first.
fn body_end(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for token in tokens {
        match token.text {
            ";" if depth == 0 => return None,
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return Some(token.line),
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(source: &str) -> Vec<String> {
        paths(&tokens(source)).iter().map(|path| path.absolute(&["store", "event"]).join("::")).collect()
    }

    #[test]
    fn a_use_tree_names_each_leaf() {
        let source = "use crate::{clock::{self, Timestamp as T}, id::*, map::rule,}; use ::axum; pub use std::env;";
        let leaves =
            ["crate::clock::self", "crate::clock::Timestamp", "crate::id::*", "crate::map::rule", "axum", "std::env"];
        assert_eq!(spelled(source), leaves);
    }

    #[test]
    fn comments_and_literals_hold_no_paths() {
        let source = r###"
            // crate::a::b
            /* crate::a /* nested::b */ crate::c */
            let quote = ('"', b'\'', '\u{22}', "crate::d \" crate::e", r#"crate::f " crate::g"#);
            fn borrow<'a>(text: &'a str) -> crate::id::Text<'a> { char::from(b'{') }
        "###;
        assert_eq!(spelled(source), ["crate::id::Text", "char::from"]);
    }

    #[test]
    fn relative_paths_are_followed_from_where_they_stand() {
        let source = "use super::pool; mod tests { use super::*; fn f() { super::super::super::feed::x() } } \
                      fn g() { self::h(); tidegate::serve::run(); $crate::id::Id::<u8>::new(std::env!()) }";
        let absolute = ["crate::store::pool", "crate::store::event::*", "crate::feed::x", "crate::store::event::h"];
        let others = ["crate::serve::run", "crate::id::Id", "std::env"];
        assert_eq!(spelled(source), [&absolute[..], &others[..]].concat());
        assert!(paths(&tokens(source)).last().is_some_and(|path| path.is_macro_call));
    }

    #[test]
    fn functions_are_measured_with_their_signature() {
        let source =
            "trait A { fn no_body(x: [u8; 2]); }\nfn two(\n f: fn() -> [u8; 2]) { if x { '}' }\n}\nfn one() {}";
        let measured: Vec<_> = functions(&tokens(source)).iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(measured, [("two", 2, 3), ("one", 5, 1)]);
    }
}
