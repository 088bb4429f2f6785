//! `If-Match`: what is changed only as it was read.

use crate::problem::{Code, Problem};

/// Refuses unless `condition`, the `If-Match` that was given, names this version of `what`. Tags are compared strongly
/// (RFC 9110, 13.1.1): a weak one fits no version.
pub fn meets(condition: Option<&str>, what: &str, version: i64) -> Result<(), Problem> {
    let tag = format!("\"{version}\"");
    let fits = |given: &str| given == "*" || given == tag;
    if condition.is_none_or(|condition| condition.split(',').map(str::trim).any(fits)) {
        return Ok(());
    }
    let detail = format!("{what} stands at version {tag} by now; read it again, then change it");
    Err(Problem::new(Code::PreconditionFailed, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_names_versions() {
        for (condition, fits) in [
            (None, true),
            (Some("\"3\""), true),
            (Some("*"), true),
            (Some("\"2\" , \"3\""), true),
            (Some("\"2\""), false),
            (Some("W/\"3\""), false),
            (Some("3"), false),
            (Some(""), false),
        ] {
            assert_eq!(meets(condition, "the webhook", 3).is_ok(), fits, "{condition:?}");
        }
    }
}
