//! Who mistypes a word is told the one that was probably meant.

use strsim::damerau_levenshtein;

/// The longest word that is compared; a longer one is no slip of the keyboard.
const LONGEST: usize = 64;
/// The most words that a message lists.
const MOST_LISTED: usize = 20;

/// The candidate that `word` was probably meant to be: one that differs by a slip, or one that `word` is a part of
/// (`missing` of `on_missing`).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let word = plain(word);
    let candidates = candidates.into_iter().collect::<Vec<_>>();
    let distance = |candidate: &str| damerau_levenshtein(&word, &plain(candidate));
    let near = |candidate: &str, distance: usize| {
        let (length, other) = (word.chars().count(), candidate.chars().count());
        distance <= (length / 3).max(1) && distance < length.min(other)
    };
    let by_slip = candidates.iter().map(|candidate| (distance(candidate), *candidate));
    let by_slip =
        by_slip.filter(|(distance, candidate)| near(candidate, *distance)).min_by_key(|(distance, _)| *distance);
    by_slip.map(|(_, candidate)| candidate).or_else(|| {
        let mut whole = candidates.iter().filter(|candidate| candidate.split('_').any(|part| part == word));
        whole.next().filter(|_| whole.next().is_none()).copied()
    })
}

/// As it is compared: case and the sign between words are no difference.
fn plain(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).map(|char| if matches!(char, '-' | ' ') { '_' } else { char }).collect()
}

/// `; did you mean …?` in the spelling that `write` gives the word, or nothing when no word is near.
pub fn did_you_mean(nearest: Option<&str>, write: impl Fn(&str) -> String) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean {}?", write(word)))
}

/// Words for a message: a handful, then how many more there are.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words = words.into_iter().collect::<Vec<_>>();
    let shown = words.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        let keys = ["from", "to", "required", "default", "on_missing", "on_null", "take", "transform", "when"];
        for (word, wanted) in [
            ("form", Some("from")),
            ("From", Some("from")),
            ("onMissing", Some("on_missing")),
            ("on-missing", Some("on_missing")),
            ("missing", Some("on_missing")),
            ("requierd", Some("required")),
            ("trasnform", Some("transform")),
            ("transforms", Some("transform")),
            ("ot", Some("to")),
            ("target", None),
            ("requires", Some("required")),
            ("on", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), wanted, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(10_000), ["a"]), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let words = (0..30).map(|number| number.to_string()).collect::<Vec<_>>();
        assert!(listed(words.iter().map(String::as_str)).ends_with("18, 19 and 10 more"));
        assert_eq!(listed(["a", "b"]), "a, b");
    }
}
