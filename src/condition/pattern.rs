//! Patterns of `match` and `search`: I-Regexp (RFC 9485), compiled once, when a mapping is saved. The `regex` crate
//! takes time linear in the text whatever the pattern; how much of it each sign takes is bounded here, by weight.

mod walk;

use regex::{Regex, RegexBuilder};

use walk::Walk;

/// The longest pattern, in bytes.
pub const LONGEST_PATTERN: usize = 64;
/// How many atoms a pattern has, those that are repeated counted as often.
const HEAVIEST: usize = 100;
/// What a compiled pattern may take, in bytes. `\p{…}` weighs one, but takes kilobytes.
const LARGEST: usize = 1024 * 1024;

/// Of `match`: the whole text.
pub(super) fn whole(pattern: &str) -> Result<Regex, String> {
    built(pattern, &format!("^(?:{})$", translated(pattern)?))
}

/// Of `search`: some part of the text.
pub(super) fn part(pattern: &str) -> Result<Regex, String> {
    built(pattern, &translated(pattern)?)
}

fn built(pattern: &str, translated: &str) -> Result<Regex, String> {
    RegexBuilder::new(translated).size_limit(LARGEST).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => too_costly(pattern),
        _ => does_not_read(pattern, "such are `A-[0-9]+`, `(draft|test).*`, `.*@example[.]com`"),
    })
}

/// The pattern as `regex` reads it.
fn translated(pattern: &str) -> Result<String, String> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!("the pattern is longer than {LONGEST_PATTERN} bytes"));
    }
    let (text, weight) = Walk::through(pattern).map_err(|why| does_not_read(pattern, &why))?;
    if weight > HEAVIEST { Err(too_costly(pattern)) } else { Ok(text) }
}

fn does_not_read(pattern: &str, why: &str) -> String {
    format!("the pattern `{pattern}` does not read: {why}")
}

fn too_costly(pattern: &str) -> String {
    format!("the pattern `{pattern}` is too costly: repeat less, such as `[0-9]*` for `[0-9]{{1,500}}`")
}

#[cfg(test)]
mod tests;
