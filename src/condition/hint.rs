//! What to write instead, for those who come from other dialects of JSONPath or meet it for the first time.
//! Looks at the text only, with all that stands in quotes blotted out.

mod condition;

pub(super) use condition::{explain_condition, refuse_condition_by_look};

use super::LONGEST;

/// Calls inside calls: the crate's parser tries each in three ways, so deep ones would take it for ever.
const MOST_NESTED_CALLS: usize = 2;
const BLOT: char = '\'';

/// What the parser would take although RFC 9535 does not, and what is cheaper refused before it.
pub(super) fn refuse_path_by_look(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("the path is empty; `$` is the whole document, `$.a` its member `a`".into());
    }
    if text.len() > LONGEST {
        return Err(format!("the path is longer than {LONGEST} bytes"));
    }
    if text.trim() != text {
        return Err("leave out the blanks before and after the path".into());
    }
    if !text.starts_with('$') {
        return Err(without_root(text));
    }
    let bare = bare(text);
    shared_by_look(&bare)?;
    let filter = bare.find("[?").map_or("", |at| &bare[at..]);
    condition::length_of(&text[bare.len() - filter.len()..], filter).map_or(Ok(()), Err)
}

fn shared_by_look(bare: &str) -> Result<(), String> {
    if nested_calls(bare) > MOST_NESTED_CALLS {
        return Err(format!("functions are nested more than {MOST_NESTED_CALLS} deep"));
    }
    stray_blank(bare).or_else(|| long_exponent(bare)).or_else(|| long_number(bare)).map_or(Ok(()), Err)
}

/// Why the parser refused, as far as the text shows it.
pub(super) fn explain(text: &str) -> String {
    let bare = bare(text);
    found(text, &bare).unwrap_or_else(|| {
        "not a path of RFC 9535; such are `$.a.b`, `$['a-b']`, `$.items[0]`, `$.items[*].id`, `$.items[?@.id == 1]`"
            .into()
    })
}

fn found(text: &str, bare: &str) -> Option<String> {
    dot_before_bracket(text, bare)
        .or_else(|| operator(bare))
        .or_else(|| method(bare))
        .or_else(|| unclosed(text, bare))
        .or_else(|| lone_backslash(text))
        .or_else(|| bracket_content(bare))
        .or_else(|| bad_name(text, bare))
}

/// The text with quotes and what they hold blotted out, byte for byte.
fn bare(text: &str) -> String {
    blotted(text).0
}

/// And whether a quote is still open at the end.
fn blotted(text: &str) -> (String, bool) {
    let mut open = None;
    let mut escaped = false;
    let mut bare = String::with_capacity(text.len());
    for char in text.chars() {
        let was_open = open.is_some();
        match open {
            Some(_) if escaped => escaped = false,
            Some(_) if char == '\\' => escaped = true,
            Some(quote) if char == quote => open = None,
            None if matches!(char, '\'' | '"') => open = Some(char),
            _ => {}
        }
        if was_open || open.is_some() {
            bare.extend(std::iter::repeat_n(BLOT, char.len_utf8()));
        } else {
            bare.push(char);
        }
    }
    (bare, open.is_some())
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || !char.is_ascii()
}

fn is_shorthand(name: &str) -> bool {
    name.chars().all(is_word) && !name.starts_with(|char: char| char.is_ascii_digit())
}

fn quoted(name: &str) -> String {
    format!("['{}']", name.replace('\\', r"\\").replace('\'', r"\'"))
}

fn without_root(text: &str) -> String {
    if let Some(path) = template(text) {
        return format!("there are no templates; a value of the payload is written `{path}`");
    }
    if text.starts_with("//") {
        return "a path is no XPath; `$..name` finds every `name`, `$.order.name` the one in `order`".into();
    }
    if let Some(rest) = text.strip_prefix('@') {
        return format!("`@` stands in filters only; a path begins with `$`: write `${rest}`");
    }
    if let Some(pointer) = text.strip_prefix('/') {
        let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let segment = |part: &str| if is_index(part) { format!("[{part}]") } else { quoted(part) };
        return format!("a path is no JSON Pointer: write `${}`", pointer.split('/').map(segment).collect::<String>());
    }
    let dot = if text.starts_with(['.', '[']) { "" } else { "." };
    let text = text.replace("[]", "[*]");
    let parted = match text.contains("__") && is_shorthand(&text) {
        true => format!(", or `$.{}` if `__` stands between names", text.replace("__", ".")),
        false => String::new(),
    };
    format!("a path begins with `$`, the document: write `${dot}{text}`{parted}")
}

/// The path in `{{order.id}}`, `{{ $json.order.id }}` and `${order.id}`.
fn template(text: &str) -> Option<String> {
    let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    let inner = inner.or_else(|| text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')))?.trim();
    Some(variable(inner).unwrap_or_else(|| format!("$.{}", inner.trim_start_matches("$.").trim_start_matches('.'))))
}

/// `$json.order.id`, `$body.order.id`: what workflow tools call the payload.
fn variable(text: &str) -> Option<String> {
    let rest = ["$json", "$body", "$input", "$payload", "$request", "$event"]
        .iter()
        .find_map(|name| text.strip_prefix(name))?;
    rest.starts_with(['.', '[']).then(|| format!("${rest}"))
}

fn nested_calls(bare: &str) -> usize {
    let (mut open, mut deepest, mut before) = (Vec::new(), 0, ' ');
    for char in bare.chars() {
        match char {
            '(' => open.push(is_word(before)),
            ')' => drop(open.pop()),
            _ => {}
        }
        deepest = deepest.max(open.iter().filter(|is_call| **is_call).count());
        if !char.is_whitespace() {
            before = char;
        }
    }
    deepest
}

/// The parser takes `$.a b` for a name with a blank, and `@. a` for `@.a`.
fn stray_blank(bare: &str) -> Option<String> {
    for (at, blank) in bare.char_indices().filter(|(_, char)| char.is_whitespace()) {
        let before = bare[..at].chars().next_back()?;
        let after = bare[at + blank.len_utf8()..].trim_start();
        let word: String = after.chars().take_while(|char| is_word(*char)).collect();
        let instead = match word.to_ascii_lowercase().as_str() {
            "and" => "`and` is written `&&`",
            "or" => "`or` is written `||`",
            "not" => "`not` is written `!`, as in `!@.a`",
            "in" | "nin" | "contains" | "like" => "there is no such operator; write `@.a == 'x' || @.a == 'y'`",
            _ if before == '.' => "leave out the blank after the dot",
            _ => "a name with a blank stands in brackets and quotes: `$['a b']`",
        };
        if before == '.' || (is_word(before) && !word.is_empty()) {
            return Some(instead.into());
        }
    }
    None
}

fn dot_before_bracket(text: &str, bare: &str) -> Option<String> {
    let at = bare.match_indices(".[").map(|(at, _)| at).find(|at| !bare[..*at].ends_with('.'))?;
    Some(format!("leave out the dot before the bracket: `{}{}`", &text[..at], &text[at + 1..]))
}

fn operator(bare: &str) -> Option<String> {
    if bare.contains("=~") || bare.contains("~=") {
        return Some(
            "a pattern is asked by a function: `match(@.a, 'x.*')` for the whole text, `search(@.a, 'x')` for a part"
                .into(),
        );
    }
    if bare.contains("===") || bare.contains("<>") {
        return Some("values are compared with == != < <= > >=".into());
    }
    let others = ["==", "!=", "<=", ">="].iter().fold(bare.to_owned(), |text, other| text.replace(other, " "));
    others.contains('=').then(|| "values are compared with `==`".into())
}

fn method(bare: &str) -> Option<String> {
    let call =
        bare.match_indices('(').map(|(at, _)| bare[..at].trim_end_matches(is_word)).find(|head| head.ends_with('.'));
    let script = bare.contains("[(").then(|| "there are no scripts; the last item is `[-1]`".into());
    let method = || {
        "a path has no methods; `length(@.a)` and `count(@.a[*])` stand in filters, and a rule counts nodes with \
         `take = \"count\"`"
            .into()
    };
    call.map(|_| method()).or(script)
}

fn unclosed(text: &str, bare: &str) -> Option<String> {
    let count = |wanted: char| bare.chars().filter(|char| *char == wanted).count();
    if blotted(text).1 {
        return Some("a quote is not closed".into());
    }
    if count('[') != count(']') || count('(') != count(')') {
        return Some("a bracket is not closed, or closed twice".into());
    }
    bare.ends_with('.').then(|| "a name is missing after the last dot".into())
}

fn bracket_content(bare: &str) -> Option<String> {
    let inside = bare.split('[').skip(1).map(str::trim_start);
    if inside.clone().any(|content| content.starts_with(']')) {
        return Some("the brackets are empty; write `[*]` for every item, `[0]` for the first".into());
    }
    let unquoted = |content: &str| content.starts_with(|char: char| is_word(char) && !char.is_ascii_digit());
    inside.clone().any(unquoted).then(|| "a name in brackets stands in quotes: `['a']`".into())
}

/// A suggestion for `$.a-b`, `$.@type`, `$.1a` and `$a`.
fn bad_name(text: &str, bare: &str) -> Option<String> {
    let after_root = bare.strip_prefix('$')?;
    if let Some(path) = variable(text) {
        return Some(format!("`$` itself is the payload: write `{path}`"));
    }
    if after_root.starts_with('{') {
        return template(text)
            .map(|path| format!("there are no templates; a value of the payload is written `{path}`"));
    }
    if after_root.starts_with(is_word) {
        return Some(format!("a dot is missing after `$`: write `$.{}`", &text[1..]));
    }
    let end = bare.find('[').unwrap_or(bare.len());
    let names = text[1..end].split('.').skip(1);
    if names.clone().all(|name| is_shorthand(name) || name == "*") {
        let odd = bare.contains('-').then_some("a name with other signs than letters, digits and _ stands in brackets");
        return odd.map(|what| format!("{what} and quotes: `@['a-b']`"));
    }
    let written = |name: &str| match name {
        "" => ".".to_owned(),
        "*" => ".*".to_owned(),
        plain if is_shorthand(plain) => format!(".{plain}"),
        other => quoted(other),
    };
    let path: String = names.map(written).collect();
    Some(format!("a name with other signs than letters, digits and _ stands in quotes: `${path}{}`", &text[end..]))
}

/// The parser reads numbers as doubles, which hold fifteen digits for sure.
fn long_number(bare: &str) -> Option<String> {
    let numbers = bare
        .split(|char| !is_word(char) && char != '.')
        .filter(|word| word.starts_with(|char: char| char.is_ascii_digit()));
    let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
    numbers.map(digits).any(|digits| digits > 15).then(|| {
        "a number here has at most 15 digits; an id that is longer is compared as a text: `@.id == '9007199254740993'`, if it is sent as one".into()
    })
}

/// The parser reads `1e-400` as 0 and `1e400` as infinite.
fn long_exponent(bare: &str) -> Option<String> {
    let is_name =
        |before: &str| before.strip_suffix('-').unwrap_or(before).ends_with(|char| is_word(char) || char == '.');
    let numbers = bare
        .char_indices()
        .filter(|(at, char)| char.is_ascii_digit() && !is_name(&bare[..*at]))
        .map(|(at, _)| bare[at..].trim_start_matches(|char: char| char.is_ascii_digit() || char == '.'));
    let digits = |after: &str| {
        let exponent = after.trim_start().strip_prefix(['e', 'E'])?.trim_start();
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent).trim_start();
        Some(exponent.bytes().take_while(u8::is_ascii_digit).count())
    };
    numbers.filter_map(digits).any(|digits| digits > 2).then(|| {
        "a number here is too large or too small: what stands after its `e` has at most two digits, as in `1e99`".into()
    })
}

/// `'\d'`: RFC 9535 knows few signs after a `\`, and patterns want it often.
fn lone_backslash(text: &str) -> Option<String> {
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        let Some(escaped) = (sign == '\\').then(|| signs.next()).flatten() else { continue };
        if !matches!(escaped, 'b' | 'f' | 'n' | 'r' | 't' | 'u' | '/' | '\\' | '\'' | '"') {
            return Some(format!("a `\\` in quotes is written twice: `\\\\{escaped}`"));
        }
    }
    None
}
