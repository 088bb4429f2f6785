//! Spans of time as people type them: `90`, `30s`, `15m`, `24h`, `7d`.

/// In seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no span of time, such as 90, 30s, 15m, 24h or 7d");
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 24 * 3_600,
        _ => return Err(bad()),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(factor).ok_or_else(bad)
}
